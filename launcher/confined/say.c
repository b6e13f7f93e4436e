/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void
dn_say (const char *format, ...)
{
  char line[600];
  int prefix = snprintf (line, sizeof line, "%s: ", program_invocation_short_name);
  va_list arguments;
  int n;

  va_start (arguments, format);
  n = vsnprintf (line + prefix, sizeof line - (size_t) prefix - 1, format, arguments);
  va_end (arguments);
  if (n < 0)
    return;
  n = n < (int) sizeof line - prefix - 2 ? n : (int) sizeof line - prefix - 2;
  line[prefix + n] = '\n';
  if (write (STDERR_FILENO, line, (size_t) (prefix + n + 1)) < 0)
    errno = 0; /* nobody to tell */
}
