/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <string.h>

#include "../common/error.h"
#include "../common/names.h"

#define TEXT_MAX_BYTES 2048

DnStatus
dn_status_of_error (const GError *error)
{
  if (error->domain != DN_ERROR)
    return DN_STATUS_UNKNOWN;
  switch ((DnError) error->code)
    {
    case DN_ERROR_USAGE:
    case DN_ERROR_CONFIG:
      return DN_STATUS_INVALID_ARGUMENT;
    case DN_ERROR_NOT_FOUND:
      return DN_STATUS_NOT_FOUND;
    case DN_ERROR_CONFLICT:
      return DN_STATUS_FAILED_PRECONDITION;
    case DN_ERROR_DENIED:
      return DN_STATUS_PERMISSION_DENIED;
    case DN_ERROR_LIMIT:
      return DN_STATUS_RESOURCE_EXHAUSTED;
    case DN_ERROR_PROTOCOL:
    case DN_ERROR_HYPERVISOR:
    case DN_ERROR_GUEST:
    case DN_ERROR_CANNOT_RUN:
    case DN_ERROR_NO_COMMAND:
    case DN_ERROR_LOCKDOWN:
    case DN_ERROR_FAILED:
      return DN_STATUS_UNKNOWN;
    }
  return DN_STATUS_UNKNOWN;
}

/* kubelet and others tell these cases by runc's words. */
static const char *
words_of (const GError *error)
{
  if (g_error_matches (error, DN_ERROR, DN_ERROR_NO_COMMAND))
    return ": executable file not found in $PATH: no such file or directory";
  if (g_error_matches (error, DN_ERROR, DN_ERROR_CANNOT_RUN))
    return ": permission denied";
  return "";
}

char *
dn_status_text (const GError *error)
{
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", 2);
  g_autofree char *text = NULL;
  const char *hint = lines[0] != NULL ? lines[1] : NULL;

  text = g_strconcat (lines[0] != NULL ? lines[0] : "", words_of (error),
                      hint != NULL ? " (" : NULL, hint, hint != NULL ? ")" : NULL, NULL);
  return dn_text_clean (text, TEXT_MAX_BYTES);
}
