/* SPDX-License-Identifier: Apache-2.0 */
/* The card of the pod that the guest is: the guest's own, given away.
 *
 *   POD_NETWORK            before the pod's first CREATE: kept
 *   the first container    dn_pod_card_enter(): the card goes into the network namespace that the
 *                          pod's containers share, as `eth0`, with the addresses, routes and
 *                          neighbours of the card whose place it takes
 *
 * The agent keeps no network: its own namespace has a loopback and nothing else, so whatever the
 * pod's containers do to their card, with any right over it, is done to themselves.  What they may
 * say on the wire is for the host to decide, and is decided there.
 *
 * Then port-forward leads to the pod's loopback (pod-loopback.h).
 *
 * Privilege: CAP_NET_ADMIN, CAP_SYS_ADMIN in the guest.
 */
#pragma once

#include "fault.h"
#include "link.h"

typedef struct
{
  bool is_set;
  bool is_entered;
  uint8_t card_mac[DN_MAC_BYTES];
  uint8_t mac[DN_MAC_BYTES];
  uint8_t peer_mac[DN_MAC_BYTES];
  uint32_t mtu;
  size_t count;
  DnPodRecord records[DN_POD_RECORDS_MAX];
} DnPodCard;

/* Takes over what the message says.  Once the card is in its place, the same again is no failure,
 * and anything else is. */
int dn_pod_card_set (DnPodCard *card, const DnMsgPodNetwork *message, DnFault *fault);

/* @netns_fd: the pod's network namespace.  0 at once where nothing was set, or it is there already.
 * While it works, and only then, this process is in that namespace. */
int dn_pod_card_enter (DnPodCard *card, int netns_fd, DnFault *fault);
