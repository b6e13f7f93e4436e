/* SPDX-License-Identifier: Apache-2.0 */
/* Why an image cannot be unpacked: one status for the host's program, one sentence for its user.
 *
 * Functions that can fail return true or false and fill a DnFailure on false.  The first failure
 * ends the work.  Names from the archive are quoted through dn_failure_name(), so that a message
 * never carries control characters.
 */
#pragma once

#include <stdbool.h>

#include "../../protocol/protocol.h"

typedef struct
{
  int status; /* a negative errno; 0 while nothing has failed */
  char message[DN_MESSAGE_BYTES + 1];
} DnFailure;

/* Fills @failure, cutting the message to its limit, and returns false: `return dn_fail (...)`.
 * @status: a negative errno. */
bool dn_fail (DnFailure *failure, int status, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

/* Likewise with -errno, and errno's words at the end. */
bool dn_fail_errno (DnFailure *failure, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* Puts "CONTEXT: " before the message; for a caller that knows more than the callee.  Returns
 * false. */
bool dn_fail_prefix (DnFailure *failure, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

#define DN_FAILURE_NAME_BYTES 128

/* A name of the archive's, in at most %DN_FAILURE_NAME_BYTES printable ASCII characters: others as
 * \xNN, the end of a long name as "...". */
typedef struct
{
  char text[DN_FAILURE_NAME_BYTES + 1];
} DnFailureName;

DnFailureName dn_failure_name (const char *name);
