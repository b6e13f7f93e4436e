/* SPDX-License-Identifier: Apache-2.0 */
/* What there is in a pod's network namespace that a guest would silently not have.
 *
 * A guest's packets do not pass the host's stack in there.  What a plug-in has put into it beside
 * the card has no hold over them: rules of nf_tables (a service mesh's plug-in, that leads all
 * through its proxy), rules that choose another table of routes (CNI's sbr), a card that speaks to
 * its neighbours without ARP (ipvlan in mode l3), filters of tc's, which come before ours.  A pod
 * that does without what somebody has seen to is worse than one that does not start.
 *
 * Rules of the older iptables are not seen: nobody lists them without a program.
 *
 * Privilege: CAP_NET_ADMIN, for nf_tables; in the pod's network namespace.
 */
#pragma once

#include "guest-network.h"
#include "pod-facts.h"

/* 0, or a fault that says what it is and what to do. */
int dn_pod_find_unfit (DnNetwork *network, const DnPodFacts *facts, DnGatewayAnswer *answer);

/* Whose rules are at work there beside ours, of nf_tables or of tc: the first one's name.
 * Returns: whether there is one */
bool dn_pod_find_stranger (DnNetwork *network, char *name, size_t size);
