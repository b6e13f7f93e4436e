/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a client's that waits for its answer, which may come at once or in days.
 *
 * Whoever has a call answers it exactly once; that ends it.  Where its connection has gone, the
 * answer goes nowhere.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "connection.h"
#include "status.h"

typedef struct DnCall DnCall;

/* @stream: as the request had it.  Keeps a reference on @connection.  (transfer full) */
DnCall *dn_call_new (DnTtrpcConnection *connection, guint32 stream);

/* @message: NULL for google.protobuf.Empty; stays the caller's */
void dn_call_reply (DnCall *call, const ProtobufCMessage *message);

/* The convention of containerd: "what: why: class". */
void dn_call_fail (DnCall *call, DnStatus status, const char *format, ...) G_GNUC_PRINTF (3, 4);
void dn_call_fail_error (DnCall *call, const GError *error);

/* Whether somebody still waits for the answer. */
gboolean dn_call_is_awaited (const DnCall *call);
