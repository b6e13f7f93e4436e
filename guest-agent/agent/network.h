/* SPDX-License-Identifier: Apache-2.0 */
/* The guest between the host and its containers: its own card, forwarding, and the table of rules.
 *
 * NETWORK says what there is.  Until it comes nothing is forwarded and no container can have a
 * card; the modules for it are in the kernel only where the host asked for them at boot.  The rules
 * stand before anything can pass.
 *
 * Privilege: CAP_NET_ADMIN over the guest's first network namespace.
 */
#pragma once

#include <net/if.h>

#include "fault.h"

typedef struct
{
  bool is_up;
  uint32_t flags;         /* DN_NETWORK_* */
  char card[IF_NAMESIZE]; /* the guest's own; "" without one */
} DnNetwork;

/* Sets up, or changes, what @message says.  0 or a status with @fault filled; after a failure
 * nothing is forwarded that was not before. */
int dn_network_apply (DnNetwork *network, const DnMsgNetwork *message, DnFault *fault);

/* Writes a setting below /proc/sys of the network namespace that this process is in.  One that the
 * kernel does not have, because it lacks the protocol, is no failure. */
int dn_network_set (const char *name, const char *value);
