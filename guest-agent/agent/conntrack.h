/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that the guest's kernel still knows of an address whose container has gone.
 *
 * The next container in its place gets its addresses, and rules let answers through to what was
 * begun: without this, to what somebody else began.
 *
 * Source: the kernel's uapi/linux/netfilter/nfnetlink_conntrack.h.
 */
#pragma once

#include "firewall.h"

/* Has the kernel forget all connections from and to the card's addresses; those of its neighbours
 * stay.  A kernel that cannot say which there are keeps them for as long as it likes. */
void dn_conntrack_forget (const DnFirewallCard *card);
