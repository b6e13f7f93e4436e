/* SPDX-License-Identifier: Apache-2.0 */
/* Port-forward's last step: from the pod's card to the pod's own loopback.
 *
 * A process of the host's that speaks to the pod's 127.0.0.1 or ::1 arrives here as DN_POD_PEER_*,
 * to the pod's own address.  Two rules for each family let it lead to 127.0.0.1 or ::1, and back.
 *
 * From the wire nothing else reaches the loopback, which is what makes the two settings harmless
 * that it takes: for IPv4 `route_localnet`; for IPv6, which has no such thing, a second local route
 * to ::1, by the card.  The kernel asks for one of the card that the packet came in at, and with
 * its metric it is nobody's choice who speaks to ::1 inside.  What comes from the wire to ::1 the
 * kernel drops before any rule, and the rule here drops it once more.
 *
 * Privilege: CAP_NET_ADMIN; in the pod's network namespace.
 * Source: net/ipv6/ip6_input.c, rt6_need_strict() in net/ipv6/route.c; nft(8).
 */
#pragma once

#include <stdint.h>

/* @own4, @own6: 4 and 16 bytes; NULL: the pod has none of that family.  0 or -errno */
int dn_pod_loopback_open (const uint8_t *own4, const uint8_t *own6);
