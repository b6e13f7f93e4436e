/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
dn_fault_set (DnFault *fault, int status, const char *format, ...)
{
  va_list arguments;

  fault->status = status;
  va_start (arguments, format);
  (void) vsnprintf (fault->message, sizeof fault->message, format, arguments);
  va_end (arguments);
  return status;
}

int
dn_fault_set_errno (DnFault *fault, const char *format, ...)
{
  int saved_errno = errno;
  va_list arguments;
  size_t used;

  fault->status = -saved_errno;
  va_start (arguments, format);
  (void) vsnprintf (fault->message, sizeof fault->message, format, arguments);
  va_end (arguments);
  used = strlen (fault->message);
  (void) snprintf (fault->message + used, sizeof fault->message - used, ": %s",
                   strerror (saved_errno));
  return fault->status;
}
