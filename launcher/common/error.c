/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <errno.h>

static const char *const names[] = {
  [DN_ERROR_USAGE] = "usage",           [DN_ERROR_CONFIG] = "config",
  [DN_ERROR_NOT_FOUND] = "not-found",   [DN_ERROR_CONFLICT] = "conflict",
  [DN_ERROR_DENIED] = "denied",         [DN_ERROR_LIMIT] = "limit",
  [DN_ERROR_PROTOCOL] = "protocol",     [DN_ERROR_HYPERVISOR] = "hypervisor",
  [DN_ERROR_GUEST] = "guest",           [DN_ERROR_CANNOT_RUN] = "cannot-run",
  [DN_ERROR_NO_COMMAND] = "no-command", [DN_ERROR_LOCKDOWN] = "lockdown",
  [DN_ERROR_FAILED] = "failed",
};

/* By hand: clang-format rewrites the dashes that G_DEFINE_QUARK would be given. */
GQuark
dn_error_quark (void)
{
  return g_quark_from_static_string ("dn-error-quark");
}

const char *
dn_error_code_to_name (DnError code)
{
  return (guint) code < G_N_ELEMENTS (names) ? names[code] : "failed";
}

DnError
dn_error_code_from_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (name, names[i]) == 0)
      return (DnError) i;
  return DN_ERROR_FAILED;
}

gboolean
dn_throw (GError **error, DnError code, const char *format, ...)
{
  va_list arguments;

  if (error == NULL)
    return FALSE;
  va_start (arguments, format);
  g_propagate_error (error, g_error_new_valist (DN_ERROR, code, format, arguments));
  va_end (arguments);
  return FALSE;
}

gboolean
dn_throw_errno (GError **error, const char *format, ...)
{
  int saved_errno = errno;
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return dn_throw (error, DN_ERROR_FAILED, "%s: %s%s", what, g_strerror (saved_errno),
                   saved_errno == ENOSPC || saved_errno == EDQUOT
                       ? "\nmake room on its file system, which df shows"
                       : "");
}
