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

/* One file each. */
int dn_order_members (DnNetwork *network, const DnGatewayMembers *members, DnGatewayAnswer *answer);
int dn_order_listen (const DnGatewayListen *listen, DnGatewayAnswer *answer, DnFdList *ret_fds);
int dn_order_verify (DnNetwork *network, const DnGatewayGuest *guest, DnGatewayAnswer *answer);
int dn_order_probe (DnNetwork *network, const DnNetworkPool *pool, DnGatewayAnswer *answer);

/* Serves a resolver's pins (base/gateway-pin.h) on @fd until it is closed or breaks the rules. */
void dn_order_pin (DnNetwork *network, uint32_t slot, int fd);
