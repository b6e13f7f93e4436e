/* SPDX-License-Identifier: Apache-2.0 */
/* What may pass between a guest's own card and those of its containers, and between these.
 *
 * One table in the guest's first network namespace, where no container can reach it, whatever
 * capabilities it has in its own: a container has the one end of a pair of cards, and the rules are
 * about the other end.
 *
 *   prerouting   what comes from a container has its card's address and its own IP address, or is
 *                dropped before anything looks at it: chain from-CARD
 *   forward      answers to what was begun pass; what comes to a container passes its own chain
 *                to-CARD, which lets through the ports that others may reach and an echo request
 * and refuses the rest; a container reaches another only where the context says so, and what is
 * outside only where the guest's flags do; all else is refused input        the guest itself
 * answers an echo request that comes through its card; no container reaches it
 *
 * ARP and IPv6's neighbour discovery do not occur: both ends of a pair know each other for ever.
 * Whatever the table does not name is dropped.
 *
 * Every change is one transaction of the kernel's: no moment lies between two states.
 */
#pragma once

#include <net/if.h>

#include "nft.h"

/* A container's end of the matter. */
typedef struct
{
  char name[IF_NAMESIZE]; /* of the guest's end of its pair; names its chains, too */
  uint8_t mac[DN_MAC_BYTES];
  uint8_t ipv4[DN_IPV4_BYTES];
  uint8_t ipv6[DN_ADDRESS_BYTES];
  DnCardPort ports[DN_CARD_PORTS_MAX];
  size_t port_count;
} DnFirewallCard;

/* Makes the table, or its rules anew where it is there: those of containers stay.  @flags:
 * DN_NETWORK_*; @card: the guest's own, or NULL.  0 or a status with @fault filled, as all below.
 */
int dn_firewall_open (uint32_t flags, const char *card, DnFault *fault);

int dn_firewall_add (const DnFirewallCard *card, DnFault *fault);
int dn_firewall_set_ports (const DnFirewallCard *card, DnFault *fault);

/* What is not there is no failure. */
void dn_firewall_remove (const char *name);

/* Asks the kernel whether the hooks are there, drop what nothing lets pass, and lead to the card's
 * chains, and these have their rules.  -EPERM with @fault naming what is missing. */
int dn_firewall_check (const DnFirewallCard *card, DnFault *fault);
