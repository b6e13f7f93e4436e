/* SPDX-License-Identifier: Apache-2.0 */
/* Frames on their way out, in a backlog (backlog.h) that is sent in as few calls as possible. */
#pragma once

#include "../../protocol/wire.h"
#include "backlog.h"

/* Returns: 0, -ENOBUFS when the backlog's limit is reached, -ENOMEM; nothing is queued then. */
int dn_outbox_put (DnBacklog *outbox, uint16_t type, uint32_t stream, const void *payload,
                   size_t size);

/* Sends what @socket takes without blocking.
 * Returns: how many bytes it took, or -errno: the connection is gone */
int64_t dn_outbox_flush (DnBacklog *outbox, int socket);
