/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int
dn_fault (DnGatewayAnswer *answer, int code, const char *format, ...)
{
  va_list arguments;

  if (answer->status != 0)
    return answer->status;
  answer->status = code < 0 ? code : -EIO;
  va_start (arguments, format);
  (void) vsnprintf (answer->error, sizeof answer->error, format, arguments);
  va_end (arguments);
  return answer->status;
}

int
dn_answer_line (DnGatewayAnswer *answer, const char *format, ...)
{
  size_t room = sizeof answer->text - answer->text_size;
  va_list arguments;
  int n;

  va_start (arguments, format);
  n = vsnprintf (answer->text + answer->text_size, room, format, arguments);
  va_end (arguments);
  if (n < 0 || (size_t) n + 1 >= room)
    return dn_fault (answer, -EMSGSIZE, "the answer is too long");
  answer->text_size += (uint32_t) n;
  answer->text[answer->text_size++] = '\n';
  return 0;
}
