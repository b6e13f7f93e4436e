/* SPDX-License-Identifier: Apache-2.0 */
/* The relay's end of the control socket: danchid's orders in, the guest's checked answers out.
 *
 * One connection at a time, from the owner's uid alone (SO_PEERCRED); the newest wins, because its
 * predecessor is either dead or about to be.  A connection is first told what it may have missed:
 * LINK_UP if the link stands, the MILESTONE, DRAINED for processes that are drained and not yet
 * forgotten.  danchid is trusted with what it asks for, not with how fast it reads: what is queued
 * for it has a limit, and a connection that reads nothing for long is dropped (it LISTs when it
 * comes back).
 *
 * Source: launcher/base/control.h; docs/protocol.md, "On the host".
 */
#pragma once

#include <sys/types.h>

#include "../../protocol/frame-reader.h"
#include "../base/control.h"
#include "../base/fdpass.h"
#include "../confined/loop.h"
#include "backlog.h"

typedef struct DnRouter DnRouter;

/* What may be queued for danchid.  Above SOFT the guest is not read; above MAX, or when nothing
 * was taken for STALL, the connection is dropped. */
#define DN_CONTROL_OUTBOX_SOFT_BYTES (1024 * 1024)
#define DN_CONTROL_OUTBOX_MAX_BYTES (4 * 1024 * 1024)
#define DN_CONTROL_STALL_NS (2 * 1000000000ull)

typedef struct
{
  DnSource listener;
  DnSource connection; /* fd -1: danchid is not there */
  uid_t owner_uid;
  uint64_t serial; /* of the connection, from 1 */
  DnFrameReader reader;
  DnFdList fds; /* owned: came along and await their frame */
  DnBacklog outbox;
  uint64_t progress_ns; /* when it last took something, or the queue was empty */
} DnControlServer;

/* Takes ownership of @listen_fd. */
int dn_control_server_init (DnRouter *router, int listen_fd, uid_t owner_uid);
void dn_control_server_clear (DnRouter *router);

/* Queues a frame for danchid; without a connection it is dropped. */
void dn_control_server_put (DnRouter *router, uint16_t type, const uint8_t *payload, size_t size);

/* Whether danchid is behind, so that the guest should wait. */
bool dn_control_server_is_full (const DnRouter *router);

/* Whether to read orders now: not while the channel is full. */
void dn_control_server_adjust (DnRouter *router);

void dn_control_server_flush (DnRouter *router);
