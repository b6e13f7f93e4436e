/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's network: the guest's tap in the network namespace that CNI has made for the pod, joined
 * with the card there.
 *
 * libvirt's QEMU opens the tap in the host's network, where libvirt is; a tap that is open may be
 * moved.  So: 1. the tap is made in the host's network, down and without an address, and stays so:
 * through a tap that is down nothing passes, and what is up is refused at 2; 2. when QEMU has it,
 * it is moved (IFLA_NET_NS_FD; that takes CAP_NET_ADMIN in both, which the gateway has); 3. in
 * there, by the door (door.h): rules first, then up.
 *
 * Everything is in the pod's namespace then, tap and rules; CNI's DEL takes it away with the
 * namespace at any moment, and QEMU sees a card without a wire.  QEMU's descriptor holds the host's
 * namespace and not the pod's.
 *
 * Privilege: CAP_NET_ADMIN.
 */
#pragma once

#include "guest-network.h"

/* POD_TAP, in the host's network. */
int dn_pod_tap_make (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer);

/* The first half of POD_JOIN, in the host's network; 0 also where the tap is not there: the other
 * half tells whether it is in the namespace already. */
int dn_pod_tap_move (DnNetwork *network, uint32_t slot, int netns_fd, DnGatewayAnswer *answer);

/* What of a plan a pod's tap needs; its addresses are CNI's and of no pool. */
void dn_pod_plan (uint32_t slot, DnNetworkPlan *ret_plan);

/* POD_LOOK, POD_JOIN and POD_LEAVE, in the pod's network namespace; POD_VERIFY is of pod-verify.c.
 */
int dn_pod_look (DnNetwork *network, DnGatewayAnswer *answer);
int dn_pod_join (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer);
int dn_pod_leave (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer);
int dn_pod_verify (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer);

/* What is set in there by JOIN, and undone by LEAVE; @device: NULL for the tap. */
typedef struct
{
  int family;
  const char *device;
  const char *name;
  int value;
} DnPodSetting;

#define DN_POD_SETTINGS 4
extern const DnPodSetting dn_pod_settings[DN_POD_SETTINGS];
