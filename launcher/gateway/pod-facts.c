/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

/* Returns: the family, 4 or 6; 0 where it is another's */
static uint8_t
take_address (struct nl_addr *address, uint8_t ret_bytes[16])
{
  const int family = address == NULL ? AF_UNSPEC : nl_addr_get_family (address);
  const size_t size = family == AF_INET ? 4 : 16;

  if ((family != AF_INET && family != AF_INET6) || nl_addr_get_len (address) > size)
    return 0;
  memcpy (ret_bytes, nl_addr_get_binary_addr (address), nl_addr_get_len (address));
  return family == AF_INET ? 4 : 6;
}

static int
add_record (DnPodFacts *facts, const DnPodRecord *record, DnGatewayAnswer *answer)
{
  if (facts->count == DN_POD_RECORDS_MAX)
    return dn_fault (answer, -ENOSPC,
                     "the pod's card '%s' has more than %d addresses, routes and neighbours",
                     facts->name, DN_POD_RECORDS_MAX);
  facts->records[facts->count++] = *record;
  return 0;
}

static bool
has_address (struct nl_cache *addresses, int index)
{
  for (struct nl_object *object = nl_cache_get_first (addresses); object != NULL;
       object = nl_cache_get_next (object))
    {
      struct rtnl_addr *address = (struct rtnl_addr *) object;

      /* Those that the kernel makes by itself say nothing. */
      if (rtnl_addr_get_ifindex (address) == index
          && rtnl_addr_get_scope (address) == RT_SCOPE_UNIVERSE)
        return true;
    }
  return false;
}

static bool
is_candidate (struct rtnl_link *link, struct nl_cache *addresses)
{
  uint32_t slot;

  return rtnl_link_get_arptype (link) == ARPHRD_ETHER
         && !dn_network_tap_slot (rtnl_link_get_name (link), &slot)
         && has_address (addresses, rtnl_link_get_ifindex (link));
}

static int
take_card (struct rtnl_link *link, DnPodFacts *facts, DnGatewayAnswer *answer)
{
  const char *name = rtnl_link_get_name (link);
  struct nl_addr *mac = rtnl_link_get_addr (link);

  if (facts->index != 0)
    return dn_fault (answer, -ENOTUNIQ,
                     "the pod has more than one card ('%s', '%s'): its guest has one\nleave one "
                     "network in the pod's annotations",
                     facts->name, name);
  if (strlen (name) >= sizeof facts->name || name[strspn (name, NAME_CHARACTERS)] != '\0'
      || mac == NULL || nl_addr_get_len (mac) != sizeof facts->mac)
    return dn_fault (answer, -EINVAL, "the pod's card has no name or address of an ordinary card");
  (void) snprintf (facts->name, sizeof facts->name, "%s", name);
  memcpy (facts->mac, nl_addr_get_binary_addr (mac), sizeof facts->mac);
  facts->index = rtnl_link_get_ifindex (link);
  facts->mtu = rtnl_link_get_mtu (link);
  return 0;
}

static int
find_card (DnLinks *links, struct nl_cache *addresses, DnPodFacts *facts, DnGatewayAnswer *answer)
{
  struct nl_cache *cache;
  int r = 0;

  if (rtnl_link_alloc_cache (links->socket, AF_UNSPEC, &cache) != 0)
    return dn_fault (answer, -EIO, "the pod's cards cannot be read");
  for (struct nl_object *object = nl_cache_get_first (cache); r == 0 && object != NULL;
       object = nl_cache_get_next (object))
    if (is_candidate ((struct rtnl_link *) object, addresses))
      r = take_card ((struct rtnl_link *) object, facts, answer);
  nl_cache_free (cache);
  if (r == 0 && facts->index == 0)
    return dn_fault (answer, -ENODEV,
                     "the pod's network namespace has no card with an address\nsee the host's CNI "
                     "configuration, and its log");
  return r;
}

static int
take_addresses (struct nl_cache *addresses, DnPodFacts *facts, DnGatewayAnswer *answer)
{
  int r = 0;

  for (struct nl_object *object = nl_cache_get_first (addresses); r == 0 && object != NULL;
       object = nl_cache_get_next (object))
    {
      struct rtnl_addr *address = (struct rtnl_addr *) object;
      DnPodRecord record = { .kind = DN_POD_ADDRESS };

      if (rtnl_addr_get_ifindex (address) != facts->index)
        continue;
      record.family = take_address (rtnl_addr_get_local (address), record.address);
      record.bits = (uint8_t) rtnl_addr_get_prefixlen (address);
      if (record.family != 0)
        r = add_record (facts, &record, answer);
    }
  return r;
}

static int
take_route (struct rtnl_route *route, DnPodFacts *facts, DnGatewayAnswer *answer)
{
  struct rtnl_nexthop *hop
      = rtnl_route_get_nnexthops (route) > 0 ? rtnl_route_nexthop_n (route, 0) : NULL;
  struct nl_addr *to = rtnl_route_get_dst (route);
  DnPodRecord record = { .kind = DN_POD_ROUTE };

  if (hop == NULL || rtnl_route_nh_get_ifindex (hop) != facts->index
      || rtnl_route_get_table (route) != RT_TABLE_MAIN
      || rtnl_route_get_type (route) != RTN_UNICAST)
    return 0;
  if (rtnl_route_get_nnexthops (route) > 1)
    return dn_fault (answer, -ENOTSUP, "the pod has a route with several ways\ngive it one");
  record.family = rtnl_route_get_family (route) == AF_INET ? 4 : 6;
  if (to != NULL && nl_addr_get_len (to) > 0 && take_address (to, record.address) == 0)
    return 0;
  record.bits = (uint8_t) (to == NULL ? 0 : nl_addr_get_prefixlen (to));
  record.metric = rtnl_route_get_priority (route);
  (void) take_address (rtnl_route_nh_get_gateway (hop), record.via);
  (void) take_address (rtnl_route_get_pref_src (route), record.source);
  if ((rtnl_route_nh_get_flags (hop) & RTNH_F_ONLINK) != 0)
    record.flags |= DN_POD_ROUTE_ONLINK;
  if (record.family == 4 && rtnl_route_get_scope (route) == RT_SCOPE_LINK)
    record.flags |= DN_POD_ROUTE_LINK;
  return add_record (facts, &record, answer);
}

static int
take_routes (DnLinks *links, DnPodFacts *facts, DnGatewayAnswer *answer)
{
  struct nl_cache *cache;
  int r = 0;

  if (rtnl_route_alloc_cache (links->socket, AF_UNSPEC, 0, &cache) != 0)
    return dn_fault (answer, -EIO, "the pod's routes cannot be read");
  for (struct nl_object *object = nl_cache_get_first (cache); r == 0 && object != NULL;
       object = nl_cache_get_next (object))
    r = take_route ((struct rtnl_route *) object, facts, answer);
  nl_cache_free (cache);
  return r;
}

static int
take_neighbours (DnLinks *links, DnPodFacts *facts, DnGatewayAnswer *answer)
{
  struct nl_cache *cache;
  int r = 0;

  if (rtnl_neigh_alloc_cache (links->socket, &cache) != 0)
    return dn_fault (answer, -EIO, "the pod's neighbours cannot be read");
  for (struct nl_object *object = nl_cache_get_first (cache); r == 0 && object != NULL;
       object = nl_cache_get_next (object))
    {
      struct rtnl_neigh *neighbour = (struct rtnl_neigh *) object;
      struct nl_addr *mac = rtnl_neigh_get_lladdr (neighbour);
      DnPodRecord record = { .kind = DN_POD_NEIGHBOUR };

      if (rtnl_neigh_get_ifindex (neighbour) != facts->index
          || (rtnl_neigh_get_state (neighbour) & NUD_PERMANENT) == 0 || mac == NULL
          || nl_addr_get_len (mac) != DN_NETWORK_MAC_BYTES)
        continue;
      memcpy (record.via, nl_addr_get_binary_addr (mac), DN_NETWORK_MAC_BYTES);
      record.family = take_address (rtnl_neigh_get_dst (neighbour), record.address);
      if (record.family != 0)
        r = add_record (facts, &record, answer);
    }
  nl_cache_free (cache);
  return r;
}

int
dn_pod_facts_read (DnLinks *links, DnPodFacts *facts, DnGatewayAnswer *answer)
{
  struct nl_cache *addresses;
  int r;

  memset (facts, 0, sizeof *facts);
  if (rtnl_addr_alloc_cache (links->socket, &addresses) != 0)
    return dn_fault (answer, -EIO, "the pod's addresses cannot be read");
  r = find_card (links, addresses, facts, answer);
  if (r == 0)
    r = take_addresses (addresses, facts, answer);
  nl_cache_free (addresses);
  if (r == 0)
    r = take_routes (links, facts, answer);
  return r == 0 ? take_neighbours (links, facts, answer) : r;
}

typedef struct
{
  char text[INET6_ADDRSTRLEN];
} Address;

/* "-" for none, where that may be. */
static Address
address_text (const DnPodRecord *record, const uint8_t bytes[16], bool may_be_none)
{
  Address to = { "-" };

  if (!may_be_none || !dn_pod_record_is_empty (bytes))
    (void) inet_ntop (record->family == 4 ? AF_INET : AF_INET6, bytes, to.text, sizeof to.text);
  return to;
}

static int
tell_record (const DnPodRecord *record, DnGatewayAnswer *answer)
{
  Address address = address_text (record, record->address, false);
  char mac[DN_NETWORK_MAC_TEXT_BYTES];

  switch ((DnPodRecordKind) record->kind)
    {
    case DN_POD_ADDRESS:
      return dn_answer_line (answer, "address %s/%u", address.text, record->bits);
    case DN_POD_ROUTE:
      return dn_answer_line (answer, "route %s/%u %s %s %u %u", address.text, record->bits,
                             address_text (record, record->via, true).text,
                             address_text (record, record->source, true).text, record->metric,
                             record->flags);
    case DN_POD_NEIGHBOUR:
      dn_network_mac_format (record->via, mac);
      return dn_answer_line (answer, "neighbour %s %s", address.text, mac);
    }
  return 0;
}

int
dn_pod_facts_tell (const DnPodFacts *facts, const uint8_t peer_mac[DN_NETWORK_MAC_BYTES],
                   DnGatewayAnswer *answer)
{
  char mac[DN_NETWORK_MAC_TEXT_BYTES], peer[DN_NETWORK_MAC_TEXT_BYTES];
  int r;

  dn_network_mac_format (facts->mac, mac);
  dn_network_mac_format (peer_mac, peer);
  r = dn_answer_line (answer, "card %s\nmac %s\npeer %s\nmtu %u", facts->name, mac, peer,
                      facts->mtu);
  for (size_t i = 0; r == 0 && i < facts->count; i++)
    r = tell_record (&facts->records[i], answer);
  return r;
}
