/* SPDX-License-Identifier: Apache-2.0 */
#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
dn_fail (DnFailure *failure, int status, const char *format, ...)
{
  va_list arguments;

  failure->status = status;
  va_start (arguments, format);
  (void) vsnprintf (failure->message, sizeof failure->message, format, arguments);
  va_end (arguments);
  return false;
}

bool
dn_fail_errno (DnFailure *failure, const char *format, ...)
{
  int saved_errno = errno;
  va_list arguments;
  size_t used;

  failure->status = saved_errno != 0 ? -saved_errno : -EIO;
  va_start (arguments, format);
  (void) vsnprintf (failure->message, sizeof failure->message, format, arguments);
  va_end (arguments);
  used = strlen (failure->message);
  (void) snprintf (failure->message + used, sizeof failure->message - used, ": %s",
                   saved_errno == ENOSPC ? "the scratch disk is full"
                                         : strerror (-failure->status));
  return false;
}

bool
dn_fail_prefix (DnFailure *failure, const char *format, ...)
{
  char message[sizeof failure->message];
  va_list arguments;
  size_t used;

  va_start (arguments, format);
  (void) vsnprintf (message, sizeof message, format, arguments);
  va_end (arguments);
  used = strlen (message);
  /* Cut at the end: the context says more than the last of the words. */
  for (const char *byte = ": "; *byte != '\0' && used < sizeof message - 1; byte++)
    message[used++] = *byte;
  for (const char *byte = failure->message; *byte != '\0' && used < sizeof message - 1; byte++)
    message[used++] = *byte;
  message[used] = '\0';
  memcpy (failure->message, message, sizeof message);
  return false;
}

DnFailureName
dn_failure_name (const char *name)
{
  /* Room for one escaped byte, the dots and the end. */
  const size_t most = DN_FAILURE_NAME_BYTES - 8;
  DnFailureName result;
  size_t used = 0;

  for (const unsigned char *byte = (const unsigned char *) name; *byte != '\0'; byte++)
    {
      if (used > most)
        {
          memcpy (result.text + used, "...", 3);
          used += 3;
          break;
        }
      if (*byte >= 0x20 && *byte < 0x7f && *byte != '\\')
        result.text[used++] = (char) *byte;
      else
        used += (size_t) snprintf (result.text + used, 5, "\\x%02x", *byte);
    }
  result.text[used] = '\0';
  return result;
}
