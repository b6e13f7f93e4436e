/* SPDX-License-Identifier: Apache-2.0 */
/* Tracked connections of a slot, so that a guest inherits none from the one that had it before.
 *
 * Needs: CAP_NET_ADMIN.
 * Source: linux/netfilter/nfnetlink_conntrack.h, IPCTNL_MSG_CT_DELETE with CTA_MARK.
 */
#pragma once

#include "fault.h"

/* Forgets those that bear the slot's mark (rules.h). */
int dn_conntrack_forget (uint32_t slot, DnGatewayAnswer *answer);
