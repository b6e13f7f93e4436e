/* SPDX-License-Identifier: Apache-2.0 */
/* Network cards, addresses, routes and neighbours, as messages of a batch (netlink.h).
 *
 * Works in the network namespace that the batch is sent in.  Addresses are in network byte order;
 * `bits` of a prefix count from its start.  Source: rtnetlink(7); the kernel's if_link.h and
 * rtnetlink.h.
 */
#pragma once

#include <net/if.h>
#include <sys/types.h>

#include "../../protocol/protocol.h"
#include "netlink.h"

/* An address of either family. */
typedef struct
{
  uint8_t family; /* AF_INET or AF_INET6 */
  uint8_t bytes[DN_ADDRESS_BYTES];
} DnLinkAddress;

DnLinkAddress dn_link_ipv4 (const uint8_t bytes[DN_IPV4_BYTES]);
DnLinkAddress dn_link_ipv6 (const uint8_t bytes[DN_ADDRESS_BYTES]);

/* How many bytes, and how many bits. */
size_t dn_link_address_bytes (const DnLinkAddress *address);

/* A pair of cards that are each other's other end: @name here, `eth0` in the network namespace of
 * process @pid. */
typedef struct
{
  const char *name;
  uint8_t mac[DN_MAC_BYTES];
  pid_t pid;
  uint8_t peer_mac[DN_MAC_BYTES];
  uint16_t mtu;
} DnLinkPair;

#define DN_LINK_PEER "eth0"

void dn_link_add_pair (DnNetlinkBatch *batch, const DnLinkPair *pair);
void dn_link_remove (DnNetlinkBatch *batch, const char *name);

/* No address that the card makes for itself: no link-local one, none from routers. */
void dn_link_add_no_addresses (DnNetlinkBatch *batch, int index);

/* @flags: IFF_UP, IFF_NOARP: to be set. @mtu: 0 leaves it. */
void dn_link_set (DnNetlinkBatch *batch, int index, unsigned flags, uint16_t mtu);

/* Goes to another network namespace and has another name there. */
void dn_link_move (DnNetlinkBatch *batch, int index, int netns_fd, const char *name);
/* While it is down.  @mtu as above. */
void dn_link_set_mac (DnNetlinkBatch *batch, int index, const uint8_t mac[DN_MAC_BYTES]);

/* What a record says (protocol/pod-record.h), for ever and without looking for others that have the
 * address; an address brings no route along. */
void dn_link_add_record (DnNetlinkBatch *batch, int index, const DnPodRecord *record);

/* The whole address, /32 or /128, without looking for others that have it. */
void dn_link_add_address (DnNetlinkBatch *batch, int index, const DnLinkAddress *address);

/* To one address, which is on the card. */
void dn_link_add_route (DnNetlinkBatch *batch, int index, const DnLinkAddress *to);

/* What comes in at the card for that address is for this kernel. @metric: the lowest is taken. */
void dn_link_add_local (DnNetlinkBatch *batch, int index, const DnLinkAddress *to, uint32_t metric);

/* To all whose first @bits are those of @gateway, through it; with 0 the default route. */
void dn_link_add_way (DnNetlinkBatch *batch, int index, const DnLinkAddress *gateway,
                      unsigned bits);

/* For ever: nobody is asked who has @address, and nobody's answer is taken. */
void dn_link_add_neighbour (DnNetlinkBatch *batch, int index, const DnLinkAddress *address,
                            const uint8_t mac[DN_MAC_BYTES]);

/* The card with that address here, by its number; 0: there is none. */
int dn_link_find_mac (const uint8_t mac[DN_MAC_BYTES], char ret_name[IF_NAMESIZE]);
