/* SPDX-License-Identifier: Apache-2.0 */
/* Status codes of ttrpc, which are gRPC's, and which of our errors is which. */
#pragma once

#include <glib.h>

typedef enum
{
  DN_STATUS_OK = 0,
  DN_STATUS_UNKNOWN = 2,
  DN_STATUS_INVALID_ARGUMENT = 3,
  DN_STATUS_NOT_FOUND = 5,
  DN_STATUS_ALREADY_EXISTS = 6,
  DN_STATUS_PERMISSION_DENIED = 7,
  DN_STATUS_RESOURCE_EXHAUSTED = 8,
  DN_STATUS_FAILED_PRECONDITION = 9,
  DN_STATUS_UNIMPLEMENTED = 12,
  DN_STATUS_UNAVAILABLE = 14,
} DnStatus;

/* Of an error of the domain DN_ERROR; UNKNOWN for others. */
DnStatus dn_status_of_error (const GError *error);

/* @error's message as a client should read it: one line, a hint in brackets, and for a command that
 * is not there or cannot be run the words that callers look for.  (transfer full) */
char *dn_status_text (const GError *error);
