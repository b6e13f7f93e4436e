/* SPDX-License-Identifier: Apache-2.0 */
/* All of a guest's network, made and removed.
 *
 * Making.  1. what an earlier one left goes; 2. the tap, down, bound to a descriptor of this
 * process; 3. its settings; 4. its rules, in one transaction; 5. addresses, routes, up; 6. the tap
 * is made to stay.  So there is no moment at which a guest could send through a tap without its
 * rules: nobody has the tap before 6, and a gateway that ends before leaves no tap.  The rules it
 * leaves are found by their names (LIST) and removed with the slot.
 *
 * Removing.  The tap first, so that nothing passes any more; then the connections that the host
 * still knows; then the rules.  With the last guest all that is common goes too.
 *
 * Privilege: CAP_NET_ADMIN.
 */
#pragma once

#include "link.h"
#include "nft.h"

/* What orders work with. */
typedef struct
{
  DnNft nft;
  DnLinks links;
  bool has_ipv6;
} DnNetwork;

int dn_network_init (DnNetwork *network, DnGatewayAnswer *answer);
void dn_network_clear (DnNetwork *network);

int dn_guest_network_open (DnNetwork *network, const DnGatewayGuest *guest,
                           DnGatewayAnswer *answer);
int dn_guest_network_close (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer);

/* Whether the table with our rules is there. */
bool dn_network_has_table (DnNetwork *network);

/* What all guests have in common, after the last. */
int dn_network_remove_common (DnNetwork *network, DnGatewayAnswer *answer);

/* Slots of which there is a tap or a rule: @slots of %DN_NETWORK_SLOTS. Returns: how many */
uint32_t dn_network_find_slots (DnNetwork *network, bool *slots);

/* Settings of each tap, by family, with what is promised; ends with a NULL name. */
typedef struct
{
  const char *name;
  int family;
  int value;
} DnTapSetting;

extern const DnTapSetting dn_tap_settings[];

/* How many connections all guests together may have: half of what the host can track. */
uint32_t dn_network_sum (void);
