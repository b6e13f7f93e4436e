/* SPDX-License-Identifier: Apache-2.0 */
/* What each order does (network/gateway-order.h), in a process of the order's own.
 */
#pragma once

#include "../base/fdpass.h"
#include "guest-network.h"

/* The whole of an order: @fds are those of the order after the first, and stay the caller's;
 * @ret_fds go with the answer.  Fills @answer. */
void dn_order_run (const DnGatewayOrder *order, const DnFdList *fds, DnGatewayAnswer *answer,
                   DnFdList *ret_fds);

/* What of an order that is carried out in a pod's network namespace is to be done here before: the
 * tap of POD_JOIN goes there.  Fills @answer on failure. */
int dn_order_prepare_pod (const DnGatewayOrder *order, int netns_fd, DnGatewayAnswer *answer);

/* One file each. */
int dn_order_members (DnNetwork *network, const DnGatewayMembers *members, DnGatewayAnswer *answer);
int dn_order_listen (const DnGatewayListen *listen, DnGatewayAnswer *answer, DnFdList *ret_fds);
int dn_order_reach (const DnGatewayReach *reach, DnGatewayAnswer *answer, DnFdList *ret_fds);
int dn_order_verify (DnNetwork *network, const DnGatewayGuest *guest, DnGatewayAnswer *answer);
int dn_order_probe (DnNetwork *network, const DnNetworkPool *pool, DnGatewayAnswer *answer);

/* Serves a resolver (base/gateway-pin.h) on @fd until it is closed or breaks the rules. */
void dn_order_pin (DnNetwork *network, const DnGatewayResolver *resolver, int fd);

/* For a socket that was made: a mark, and the tap to which it is bound, or NULL.  0 or -errno */
int dn_socket_confine (int fd, uint32_t mark, const char *tap);
