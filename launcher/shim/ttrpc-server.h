/* SPDX-License-Identifier: Apache-2.0 */
/* A ttrpc server of unary methods on a unix socket, in the main loop.
 *
 * Only root may speak to it: SO_PEERCRED of each connection.  Requests of one connection are
 * handled as they come and answered in any order.  What breaks the protocol in one frame is
 * answered on its stream; a stream of bytes that cannot be cut into frames is not recognisable as
 * such, and ends in a frame that is never whole.
 *
 * Source: containerd/ttrpc, PROTOCOL.md.
 */
#pragma once

#include "call.h"

#define DN_TTRPC_CONNECTIONS_MAX 256

typedef struct DnTtrpcServer DnTtrpcServer;

/* Takes over @call, to be answered now or later.  @payload is borrowed. */
typedef void (*DnTtrpcHandler) (DnCall *call, const char *service, const char *method,
                                const guint8 *payload, gsize size, gpointer user_data);

/* @fd: a listening unix socket; takes ownership.  (transfer full) */
DnTtrpcServer *dn_ttrpc_server_new (int fd, DnTtrpcHandler handler, gpointer user_data);
void dn_ttrpc_server_free (DnTtrpcServer *server);
