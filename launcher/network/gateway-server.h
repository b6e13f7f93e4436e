/* SPDX-License-Identifier: Apache-2.0 */
/* danchid's line to danchi-gateway, which makes guests' networks (launcher/gateway/main.c).
 *
 * As with danchi-intake (images/intake-server.h): danchid gives up the network at its start, so who
 * shall have it is started first, as danchid's child; under a service manager it is a service of
 * its own, which listens at a socket of root's.
 */
#pragma once

#include <glib.h>

#include "../base/fdpass.h"
#include "gateway-order.h"

/* Starts danchi-gateway; it ends with this process.  One that cannot be started is told when it is
 * needed.  Before danchid's confinement, with one thread. */
void dn_gateway_server_start (void);

/* In place of that: the socket (SOCK_SEQPACKET) where it listens. */
void dn_gateway_server_use_socket (const char *path);

/**
 * dn_gateway_order:
 * @fds: or NULL; stay the caller's
 * @ret_fds: (out) (optional): the answer's, close-on-exec; without it they are closed
 * @ret_text: (out) (optional): (transfer full): the answer's lines
 *
 * Sends an order and waits for its answer: half a minute at most.  Safe from any thread.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_FAILED; _DENIED for a pod's wish for the host's network;
 * _CONFLICT where something of the host is in the way, _LIMIT for a slot without addresses
 */
gboolean dn_gateway_order (const DnGatewayOrder *order, const DnFdList *fds, DnFdList *ret_fds,
                           char **ret_text, GError **error);

/* (transfer full): the path of the program. */
char *dn_gateway_server_program (void);
