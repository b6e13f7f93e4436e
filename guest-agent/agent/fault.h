/* SPDX-License-Identifier: Apache-2.0 */
/* Why something failed: a status for the host's program and words for its user.
 *
 * The words end up in REPLY.message: "what: why", cut to its limit.  They may quote the tenant's
 * bytes; the host escapes what it shows.
 */
#pragma once

#include "../../protocol/protocol.h"

typedef struct
{
  int status; /* a negative errno */
  char message[DN_MESSAGE_BYTES + 1];
} DnFault;

/* Fills @fault and returns @status, so that a failure is one line. */
int dn_fault_set (DnFault *fault, int status, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

/* Likewise with -errno as the status, and errno's words at the end. */
int dn_fault_set_errno (DnFault *fault, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));
