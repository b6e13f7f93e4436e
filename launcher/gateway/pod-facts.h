/* SPDX-License-Identifier: Apache-2.0 */
/* The card that CNI has put into a pod's network namespace, as the kernel tells it: what the guest
 * takes over.
 *
 * It is the one card with an address; a pod with several is refused, since a guest has one, and a
 * card that silently is not there would be worse.  Its name is the host's, of a CNI plug-in: one
 * that would need quotes in a rule is refused.
 *
 * As lines of an answer, in this order, addresses as inet_ntop(3) writes them:
 *
 *   card NAME                     for people
 *   mac MAC                       the card's
 *   peer MAC                      the tap's
 *   mtu BYTES
 *   address ADDRESS/BITS
 *   route ADDRESS/BITS VIA SOURCE METRIC FLAGS     VIA and SOURCE "-": none; FLAGS of pod-record.h
 *   neighbour ADDRESS MAC         permanent ones
 *
 * Routes are those of the table `main` that lead through the card, the kernel's own among them, so
 * that a plug-in that has taken one of these away (ptp) is understood.
 *
 * Privilege: none; in the pod's network namespace.
 */
#pragma once

#include "../../protocol/pod-record.h"
#include "link.h"

typedef struct
{
  char name[DN_NETWORK_TAP_BYTES];
  int index;
  uint8_t mac[DN_NETWORK_MAC_BYTES];
  uint32_t mtu;
  size_t count;
  DnPodRecord records[DN_POD_RECORDS_MAX];
} DnPodFacts;

/* 0, or a fault that says what about the namespace cannot be had in a guest. */
int dn_pod_facts_read (DnLinks *links, DnPodFacts *facts, DnGatewayAnswer *answer);

int dn_pod_facts_tell (const DnPodFacts *facts, const uint8_t peer_mac[DN_NETWORK_MAC_BYTES],
                       DnGatewayAnswer *answer);
