/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a pod's network namespace, as a text for libnftables: a pure function.
 *
 * Theory.  In the namespace are the card that CNI has made (one end of a veth pair, with the pod's
 * addresses), the guest's tap, and the loopback.  Whatever comes in at the card goes out at the tap
 * and the other way round, before the host's IP sees it (nf_tables, hook ingress, `fwd to`): there
 * is no bridge, no routing and no process on the way.  So the card keeps its addresses, as CNI's
 * CHECK and DEL want it, and yet nobody answers for them twice: no ARP request, no neighbour
 * solicitation reaches the host's kernel.
 *
 *   in-tap    what the guest sends: the card's MAC and one of its addresses as the source, in IP,
 *             in ARP and in neighbour advertisements, or it is dropped; no VLAN, nothing but IPv4,
 *             IPv6 and ARP; no router advertisement, no redirect, no answer of a DHCP server
 *   in-card   what the network sends; nobody there can speak for the pod's loopback
 *   in-lo     port-forward: what a process of the host's (containerd, kubelet) says in this
 *             namespace to 127.0.0.1 or ::1 over TCP goes to the guest, with the source
 *             DN_POD_PEER_*, which the guest's kernel lets lead to its own 127.0.0.1 or ::1; the
 *             answers come back by chains back4 and back6, and no connection is begun that way
 *
 * `fwd to` is taken in place of tc's mirred: one transaction for filter and forwarding, in a
 * language that the gateway speaks already, and there in every kernel that has nf_tables' ingress
 * hook (NFT_FWD_NETDEV), while what of tc there is differs (no matchall here, no u32 there).
 *
 * What is wanted is named, and the rest dropped: a rule "not this one: drop" would let pass what is
 * too short to be compared.
 *
 * Addresses and numbers are printed as such; the card's name was checked (pod-facts.h).
 *
 * Source: nft(8), net/netfilter/nft_fwd_netdev.c; RFC 6105 (RA guard), RFC 4861.
 */
#pragma once

#include <stdio.h>

#include "pod-facts.h"

#define DN_POD_TABLE "danchi-pod"
#define DN_POD_TWIN "danchi-pod-twin"
/* Of packets that have come back to the loopback. */
#define DN_POD_MARK 0x64720000u

/* In place of what is there. */
void dn_pod_rules_write (FILE *text, const DnPodFacts *facts, const char *tap);
/* The same rules in a table of their own, hooked to nothing: to compare with. */
void dn_pod_rules_write_twin (FILE *text, const DnPodFacts *facts, const char *tap);
void dn_pod_rules_write_removal (FILE *text, const char *table);

/* The address at which the guest has the other end of the loopback's connections, or NULL where it
 * has none of that family: 4 or 6. */
const DnPodRecord *dn_pod_own_address (const DnPodFacts *facts, uint8_t family);
