/* SPDX-License-Identifier: Apache-2.0 */
/* danchid's line to danchi-share, which shows guests directories of the host's
 * (launcher/share/main.c).
 *
 * danchid gives up what that takes at its start, and as a service it does not even see the host's
 * files (daemon/confine.h).  So danchi-share is started first, as danchid's child; under a service
 * manager it is a service of its own, which listens at a socket of root's.
 */
#pragma once

#include <glib.h>

#include "../base/share-order.h"

/* Starts danchi-share; it ends with this process, and what it has started goes on.  One that cannot
 * be started is told when it is needed.  Before danchid's confinement, with one thread. */
void dn_share_server_start (void);

/* In place of that: the socket (SOCK_SEQPACKET) where it listens. */
void dn_share_server_use_socket (const char *path);

/**
 * dn_share_server_order:
 * @fd: the descriptor that goes with the order, or -1; stays the caller's
 * @what: for errors: "bind '/srv/data'"
 *
 * Sends an order and waits for its answer.  Safe from any thread.
 *
 * Returns: TRUE; or FALSE with DN_ERROR_DENIED where rights are missing, DN_ERROR_NOT_FOUND,
 * DN_ERROR_GUEST where the share is gone, or DN_ERROR_FAILED
 */
gboolean dn_share_server_order (const DnShareOrder *order, int fd, const char *what,
                                DnShareAnswer *ret_answer, GError **error);
