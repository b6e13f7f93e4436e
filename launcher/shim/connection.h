/* SPDX-License-Identifier: Apache-2.0 */
/* One ttrpc connection in the main loop, of either end: whole frames in, whole frames out.
 *
 * Nothing here blocks.  What the peer does not take is kept, up to %DN_TTRPC_BACKLOG_MAX_BYTES; a
 * peer that falls further behind loses the connection.  Counted references: an answer that is
 * given later keeps its connection, and goes nowhere once that is closed.
 */
#pragma once

#include "frame.h"

#define DN_TTRPC_BACKLOG_MAX_BYTES (4 * DN_TTRPC_DATA_MAX_BYTES)

typedef struct DnTtrpcConnection DnTtrpcConnection;

typedef struct
{
  /* @data is NULL for a frame over the limit; else @header's length of bytes, for this call. */
  void (*frame) (DnTtrpcConnection *connection, const DnTtrpcHeader *header, const guint8 *data,
                 gpointer user_data);
  /* The peer is gone or broke something; told once, not after dn_ttrpc_connection_close(). */
  void (*closed) (DnTtrpcConnection *connection, gpointer user_data);
} DnTtrpcConnectionEvents;

/* Takes ownership of @fd, a stream socket.  @events is static.  (transfer full) */
DnTtrpcConnection *dn_ttrpc_connection_new (int fd, const DnTtrpcConnectionEvents *events,
                                            gpointer user_data);
DnTtrpcConnection *dn_ttrpc_connection_ref (DnTtrpcConnection *connection);
void dn_ttrpc_connection_unref (DnTtrpcConnection *connection);

/* One frame; dropped where the connection is closed. */
void dn_ttrpc_connection_send (DnTtrpcConnection *connection, const DnTtrpcHeader *header,
                               const guint8 *data);

gboolean dn_ttrpc_connection_is_open (const DnTtrpcConnection *connection);
void dn_ttrpc_connection_close (DnTtrpcConnection *connection);
