/* SPDX-License-Identifier: Apache-2.0 */
/* That the host forwards at all, which guests' packets need and a host may not have been for.
 *
 * Where it did not, it does while there is a guest with a network, and a guard in our table drops
 * all that is neither from one nor to one.  The guard's rule is the memory of it: so the setting is
 * taken back with the last guest, also by another gateway than the one that changed it.  A host
 * that forwards takes no router advertisements (IPv6) any more where accept_ra is 1: it is made 2
 * there, and which interfaces these are is kept in a set.
 *
 * Needs: CAP_NET_ADMIN.
 * Source: Documentation/networking/ip-sysctl.rst: ip_forward, forwarding, accept_ra.
 */
#pragma once

#include "link.h"
#include "nft.h"

/* The table must be there. */
int dn_forwarding_begin (DnNft *nft, DnLinks *links, bool has_ipv6, DnGatewayAnswer *answer);

/* Before the table goes. */
int dn_forwarding_end (DnNft *nft, DnGatewayAnswer *answer);
