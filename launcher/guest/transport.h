/* SPDX-License-Identifier: Apache-2.0 */
/* Connects the byte stream to a guest's agent: vsock or virtio-serial.
 *
 * The host always connects and listens nowhere.  The descriptor goes to the relay as it is:
 * danchid neither reads nor writes it.
 * Privilege: none for vsock; for serial, access to QEMU's socket.
 * Source: vsock(7), unix(7).
 */
#pragma once

#include "guest.h"

/* Whether this host has what vsock to guests needs (/dev/vhost-vsock, AF_VSOCK). */
gboolean dn_transport_host_has_vsock (void);

const char *dn_transport_name (DnTransport transport);

/**
 * dn_transport_connect_vsock:
 * @timeout_ms: of the connection attempt: a guest whose agent does not listen yet refuses at once
 *
 * Returns: a descriptor, or -1 with DN_ERROR_GUEST
 */
int dn_transport_connect_vsock (guint cid, guint timeout_ms, GError **error);

/* Connects to a unix stream socket: QEMU's end of a virtio-serial port, or a relay's control
 * socket.  Returns: a descriptor, or -1 with DN_ERROR_FAILED */
int dn_transport_connect_unix (const char *path, GError **error);

/* Binds and listens at @path, whose remains are removed first; @mode and owner are set before
 * anyone can connect.  Returns: a descriptor, or -1 with DN_ERROR_FAILED */
int dn_transport_listen_unix (const char *path, guint mode, guint uid, guint gid, GError **error);
