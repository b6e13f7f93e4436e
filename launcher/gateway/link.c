/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <string.h>

/* After every other route: only what no route knows meets it. */
#define POOL_METRIC 4294967294u

int
dn_links_open (DnLinks *links, DnGatewayAnswer *answer)
{
  int r;

  links->socket = nl_socket_alloc ();
  if (links->socket == NULL)
    return dn_fault (answer, -ENOMEM, "rtnetlink: no memory");
  r = nl_connect (links->socket, NETLINK_ROUTE);
  return r == 0 ? 0 : dn_fault (answer, -EIO, "rtnetlink: %s", nl_geterror (r));
}

void
dn_links_close (DnLinks *links)
{
  if (links->socket != NULL)
    nl_socket_free (links->socket);
  links->socket = NULL;
}

/* An address of @family with its prefix's length. */
static struct nl_addr *
build_address (int family, const void *address, unsigned bits)
{
  struct nl_addr *built = nl_addr_build (family, address, family == AF_INET ? 4 : 16);

  if (built != NULL)
    nl_addr_set_prefixlen (built, (int) bits);
  return built;
}

static int
add_address (DnLinks *links, unsigned index, int family, const void *address)
{
  struct rtnl_addr *wish = rtnl_addr_alloc ();
  struct nl_addr *local = build_address (family, address, family == AF_INET ? 32 : 128);
  int r = -NLE_NOMEM;

  if (wish != NULL && local != NULL)
    {
      rtnl_addr_set_ifindex (wish, (int) index);
      /* Nobody else is on this wire; and no route beside those that follow. */
      rtnl_addr_set_flags (wish, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
      r = rtnl_addr_set_local (wish, local);
      if (r == 0)
        r = rtnl_addr_add (links->socket, wish, 0);
    }
  nl_addr_put (local);
  rtnl_addr_put (wish);
  return r;
}

typedef struct
{
  int family;
  uint8_t type; /* RTN_ */
  const void *to;
  unsigned bits;
  unsigned index;
  const void *via;  /* or NULL */
  const void *from; /* preferred source, or NULL */
  uint32_t metric;  /* or 0 */
} Route;

static struct rtnl_route *
build_route (const Route *wish)
{
  struct rtnl_route *route = rtnl_route_alloc ();
  struct rtnl_nexthop *hop = rtnl_route_nh_alloc ();
  struct nl_addr *to = build_address (wish->family, wish->to, wish->bits);
  unsigned whole = wish->family == AF_INET ? 32 : 128;

  if (route == NULL || hop == NULL || to == NULL)
    return NULL; /* the process ends with the order: nothing is lost */
  rtnl_route_set_family (route, (uint8_t) wish->family);
  rtnl_route_set_table (route, RT_TABLE_MAIN);
  rtnl_route_set_protocol (route, DN_LINK_PROTOCOL);
  rtnl_route_set_type (route, wish->type);
  rtnl_route_set_scope (route,
                        wish->via == NULL && wish->index != 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
  (void) rtnl_route_set_dst (route, to);
  if (wish->metric != 0)
    rtnl_route_set_priority (route, wish->metric);
  if (wish->from != NULL)
    {
      struct nl_addr *from = build_address (wish->family, wish->from, whole);

      (void) rtnl_route_set_pref_src (route, from);
      nl_addr_put (from);
    }
  if (wish->via != NULL)
    {
      struct nl_addr *via = build_address (wish->family, wish->via, whole);

      rtnl_route_nh_set_gateway (hop, via);
      nl_addr_put (via);
    }
  if (wish->index != 0)
    {
      rtnl_route_nh_set_ifindex (hop, (int) wish->index);
      rtnl_route_add_nexthop (route, hop);
    }
  else
    rtnl_route_nh_free (hop);
  nl_addr_put (to);
  return route;
}

static int
add_route (DnLinks *links, const Route *wish)
{
  struct rtnl_route *route = build_route (wish);
  int r = route == NULL ? -NLE_NOMEM : rtnl_route_add (links->socket, route, NLM_F_REPLACE);

  if (route != NULL)
    rtnl_route_put (route);
  return r;
}

/* So that nothing the guest says can change where its packets go. */
static int
add_neighbour (DnLinks *links, unsigned index, int family, const void *address, const uint8_t *mac)
{
  struct rtnl_neigh *wish = rtnl_neigh_alloc ();
  struct nl_addr *to = build_address (family, address, family == AF_INET ? 32 : 128);
  struct nl_addr *card = nl_addr_build (AF_LLC, mac, DN_NETWORK_MAC_BYTES);
  int r = -NLE_NOMEM;

  if (wish != NULL && to != NULL && card != NULL)
    {
      rtnl_neigh_set_ifindex (wish, (int) index);
      rtnl_neigh_set_family (wish, family);
      rtnl_neigh_set_state (wish, NUD_PERMANENT);
      rtnl_neigh_set_lladdr (wish, card);
      r = rtnl_neigh_set_dst (wish, to);
      if (r == 0)
        r = rtnl_neigh_add (links->socket, wish, NLM_F_CREATE | NLM_F_REPLACE);
    }
  nl_addr_put (card);
  nl_addr_put (to);
  rtnl_neigh_put (wish);
  return r;
}

static int
set_up (DnLinks *links, unsigned index)
{
  struct rtnl_link *link = rtnl_link_alloc (), *changes = rtnl_link_alloc ();
  int r = -NLE_NOMEM;

  if (link != NULL && changes != NULL)
    {
      rtnl_link_set_ifindex (link, (int) index);
      rtnl_link_set_flags (changes, IFF_UP);
      r = rtnl_link_change (links->socket, link, changes, 0);
    }
  rtnl_link_put (link);
  rtnl_link_put (changes);
  return r;
}

/* The way to the guest, and through it to its containers. */
static int
add_ways (DnLinks *links, unsigned index, int family, const DnNetworkPlan *plan)
{
  bool is_four = family == AF_INET;
  const void *gateway = is_four ? (const void *) &plan->gateway4 : &plan->gateway6;
  const void *guest = is_four ? (const void *) &plan->guest4 : &plan->guest6;
  Route to_guest = { .family = family,
                     .type = RTN_UNICAST,
                     .to = guest,
                     .bits = is_four ? 32 : 128,
                     .index = index,
                     .from = gateway };
  Route to_block = { .family = family,
                     .type = RTN_UNICAST,
                     .to = is_four ? (const void *) &plan->block4 : &plan->block6,
                     .bits = is_four ? DN_NETWORK_BLOCK4_BITS : DN_NETWORK_BLOCK6_BITS,
                     .index = index,
                     .via = guest,
                     .from = gateway };
  int r = add_neighbour (links, index, family, guest, plan->guest_mac);

  if (r == 0)
    r = add_route (links, &to_guest);
  return r == 0 ? add_route (links, &to_block) : r;
}

int
dn_link_raise (DnLinks *links, const DnNetworkPlan *plan, bool has_ipv6, DnGatewayAnswer *answer)
{
  unsigned index = if_nametoindex (plan->tap);
  int r = add_address (links, index, AF_INET, &plan->gateway4);

  if (r == 0 && has_ipv6)
    r = add_address (links, index, AF_INET6, &plan->gateway6);
  if (r == 0)
    r = set_up (links, index);
  if (r == 0)
    r = add_ways (links, index, AF_INET, plan);
  if (r == 0 && has_ipv6)
    r = add_ways (links, index, AF_INET6, plan);
  return r == 0 ? 0
                : dn_fault (answer, -EIO, "tap '%s': addresses and routes: %s", plan->tap,
                            nl_geterror (r));
}

int
dn_link_remove (DnLinks *links, const char *name, DnGatewayAnswer *answer)
{
  struct rtnl_link *link = rtnl_link_alloc ();
  int r = -NLE_NOMEM;

  if (link != NULL)
    {
      rtnl_link_set_name (link, name);
      r = rtnl_link_delete (links->socket, link);
    }
  rtnl_link_put (link);
  if (r == 0 || r == -NLE_NODEV || r == -NLE_OBJ_NOTFOUND || !dn_link_exists (name))
    return 0;
  return dn_fault (answer, -EIO, "tap '%s': remove: %s", name, nl_geterror (r));
}

int
dn_link_close_pool (DnLinks *links, const DnNetworkPool *pool, bool has_ipv6,
                    DnGatewayAnswer *answer)
{
  Route four = { .family = AF_INET,
                 .type = RTN_UNREACHABLE,
                 .to = &pool->address4,
                 .bits = pool->bits4,
                 .metric = POOL_METRIC };
  Route six = { .family = AF_INET6,
                .type = RTN_UNREACHABLE,
                .to = &pool->prefix6,
                .bits = DN_NETWORK_PREFIX6_BITS,
                .metric = POOL_METRIC };
  int r = add_route (links, &four);

  if (r == 0 && has_ipv6)
    r = add_route (links, &six);
  return r == 0 ? 0 : dn_fault (answer, -EIO, "route of the pool: %s", nl_geterror (r));
}

int
dn_link_open_pools (DnLinks *links)
{
  struct nl_cache *routes;
  int r = rtnl_route_alloc_cache (links->socket, AF_UNSPEC, 0, &routes);

  if (r != 0)
    return -EIO;
  for (struct nl_object *object = nl_cache_get_first (routes); object != NULL;
       object = nl_cache_get_next (object))
    {
      struct rtnl_route *route = (struct rtnl_route *) object;

      if (rtnl_route_get_protocol (route) == DN_LINK_PROTOCOL
          && rtnl_route_get_type (route) == RTN_UNREACHABLE)
        (void) rtnl_route_delete (links->socket, route, 0);
    }
  nl_cache_free (routes);
  return 0;
}

int
dn_links_each (DnLinks *links, DnLinkFunc each, void *data)
{
  struct nl_cache *cache;

  if (rtnl_link_alloc_cache (links->socket, AF_UNSPEC, &cache) != 0)
    return -EIO;
  for (struct nl_object *object = nl_cache_get_first (cache); object != NULL;
       object = nl_cache_get_next (object))
    each (rtnl_link_get_name ((struct rtnl_link *) object), data);
  nl_cache_free (cache);
  return 0;
}
