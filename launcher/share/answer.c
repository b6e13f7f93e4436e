/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void
dn_share_refuse (DnShareAnswer *answer, int code, const char *format, ...)
{
  va_list arguments;

  answer->code = code > 0 ? code : EIO;
  va_start (arguments, format);
  (void) vsnprintf (answer->text, sizeof answer->text, format, arguments);
  va_end (arguments);
}
