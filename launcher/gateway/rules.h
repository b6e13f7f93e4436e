/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a guest's network, as a text for libnftables: a pure function of danchid's order.
 *
 * Theory.  A guest is an enemy that owns its end of a wire.  What it sends meets, in this order:
 *
 *   netdev danchi, in-TAP    what no guest may say at all: other people's addresses, VLANs,
 *                            fragments, options and extension headers, DHCP, router advertisements,
 *                            redirects, protocols besides TCP, UDP and ICMP; bandwidth
 *   inet danchi, at-TAP      addresses of the host itself, but for the gateway's own; broadcast
 *   inet danchi, host-TAP    what of the host it reaches: the resolver, an echo
 *   inet danchi, from-TAP    where else it may go: where nothing special is, or what was allowed
 *   inet danchi, group-N     in a tenant network: the exposed ports of the other members
 *
 * and what is sent to it:
 *
 *   inet danchi, to-TAP      nothing from outside but answers
 *   inet danchi, out-TAP     of the host's own processes: sockets that were made for it (REACH)
 *   netdev danchi, out-TAP   nothing but what is addressed to it: the host's own chatter stays here
 *
 * Programs with a guest's uid (its QEMU, its resolver, danchi-publish) may be the guest's, too.  By
 * themselves they begin nothing (inet danchi, uid).  What they do with the sockets that they were
 * given is bounded by a mark, which they cannot change: listening ones only answer, those of REACH
 * go to the guest, and a resolver's to the servers of danchid's order.
 *
 * Every list of what may pass ends in a drop, so what is not thought of does not pass.  Chains are
 * chosen by the device's name in maps: a packet costs the same with one guest and with five
 * hundred.  What a guest makes the host remember is bounded: connections of each and of all,
 * pinned addresses.  Fragments would fill the host's queue for reassembly, so they do not pass.
 *
 * No text comes from outside: names and addresses are computed from slot and pool, numbers are
 * printed as numbers.
 *
 * Source: nft(8), libnftables(3); docs/network.md.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "../network/gateway-order.h"

/* What is in the kernel under this name is of these rules; another version's is made anew. */
#define DN_RULES_VERSION "v1"
#define DN_RULES_TABLE "danchi"
/* Where VERIFY makes the same rules once more, hooked to nothing, to have the kernel print them. */
#define DN_RULES_TWIN "danchi-promised"

/* Of connections of a guest, so that they can be found and ended: this and the slot. */
#define DN_RULES_MARK 0x646e0000u
#define DN_RULES_MARK_MASK 0xffffffffu
/* Of sockets: those that answer; with a slot, those of REACH and of a resolver. */
#define DN_RULES_MARK_ANSWERS 0x646f0000u
#define DN_RULES_MARK_REACH 0x64700000u
#define DN_RULES_MARK_ASKS 0x64710000u

/* The tables and what is common to all guests; @sum: connections of all guests together.  Written
 * once, when the first guest comes.  @is_twin: hooked to nothing. */
void dn_rules_write_base (FILE *text, const char *table, bool is_twin, uint32_t sum);

/* All of one guest, into a table that has the base.  @is_twin: without devices and maps. */
void dn_rules_write_guest (FILE *text, const char *table, bool is_twin, const DnGatewayGuest *guest,
                           const DnNetworkPlan *plan);

/* Removes it; works with all of it, a part of it and nothing of it there. @list_bits: which lists
 * there are, bit 0 for list 1. */
void dn_rules_write_removal (FILE *text, uint32_t slot, uint32_t list_bits);

/* Makes the group's sets these; a guest of the group is there. */
void dn_rules_write_members (FILE *text, const DnGatewayMembers *members);

/* To which servers of names the guest's resolver speaks: these, in place of those before. */
void dn_rules_write_servers (FILE *text, const DnGatewayResolver *resolver);

/* While the host forwards only for us: nothing else is forwarded.  @family: 4 or 6 */
void dn_rules_write_guard (FILE *text, int family);

/* Adds, or makes longer. */
void dn_rules_write_pin (FILE *text, uint32_t slot, uint8_t family, uint8_t list,
                         const uint8_t *address, uint32_t ttl_s);
