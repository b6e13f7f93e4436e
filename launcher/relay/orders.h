/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with a frame that came from danchid: an order to the relay (control.def), or a
 * request that goes on to the guest under a number of the relay's (requests.h).
 *
 * A request that cannot go on is answered here, with the errors an agent could have sent:
 * -ENOTCONN without a link, -EBUSY when too many are under way.
 */
#pragma once

#include "../../protocol/wire.h"
#include "../base/fdpass.h"

typedef struct DnRouter DnRouter;

/**
 * dn_order_handle:
 * @fds: what came along so far, in order; those of this frame are taken from its front
 *
 * Returns: 0; -EPROTO: danchid broke the contract, its connection must be closed
 */
int dn_order_handle (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload,
                     DnFdList *fds);
