/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver's end towards danchi-gateway: sockets to servers, and addresses to be opened before
 * they are answered.  gateway-pin.h says what goes over it.
 *
 * Wishes wait in a queue; what comes for an ask that is over meanwhile is thrown away.
 */
#pragma once

#include "resolver.h"

/* Takes ownership of @fd, -1: none.  Whoever waits for the link before fails. */
void dn_gateway_link_set (DnResolver *resolver, int fd);

/* A socket to the ask's server: dn_ask_dialled() is told.  Returns 0, -ENOTCONN, -ENOSPC. */
int dn_gateway_link_dial (DnResolver *resolver, DnAsk *ask);

/* All addresses of the ask's reply, to all of its lists, in `pins` messages: dn_ask_pinned() is
 * told of each.  Likewise. */
int dn_gateway_link_pin (DnResolver *resolver, DnAsk *ask);

void dn_gateway_link_clear (DnResolver *resolver);
