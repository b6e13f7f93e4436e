/* SPDX-License-Identifier: Apache-2.0 */
/* Of link.h: what the kernel says of a tap. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

#define WORDS_MAX 64
#define WORD_BYTES 112

typedef struct
{
  char words[WORDS_MAX][WORD_BYTES];
  size_t count;
} Words;

static void __attribute__ ((format (printf, 2, 3))) add_word (Words *words, const char *format, ...)
{
  va_list arguments;

  if (words->count == WORDS_MAX)
    return;
  va_start (arguments, format);
  (void) vsnprintf (words->words[words->count++], WORD_BYTES, format, arguments);
  va_end (arguments);
}

static int
compare_words (const void *a, const void *b)
{
  return strcmp (a, b);
}

static void
join_words (Words *words, char *text, size_t size)
{
  size_t used = 0;

  qsort (words->words, words->count, WORD_BYTES, compare_words);
  text[0] = '\0';
  for (size_t i = 0; i < words->count && used < size; i++)
    used
        += (size_t) snprintf (text + used, size - used, "%s%s", i > 0 ? ", " : "", words->words[i]);
}

/* IFLA_TUN_* of IFLA_INFO_DATA: libnl does not know them. */
static int
read_tun (struct nl_msg *message, void *data)
{
  struct nlattr *info[IFLA_INFO_MAX + 1], *tun[IFLA_TUN_MAX + 1], *attributes[IFLA_MAX + 1];
  Words *words = data;

  if (nlmsg_parse (nlmsg_hdr (message), sizeof (struct ifinfomsg), attributes, IFLA_MAX, NULL) < 0
      || attributes[IFLA_LINKINFO] == NULL
      || nla_parse_nested (info, IFLA_INFO_MAX, attributes[IFLA_LINKINFO], NULL) < 0
      || info[IFLA_INFO_DATA] == NULL
      || nla_parse_nested (tun, IFLA_TUN_MAX, info[IFLA_INFO_DATA], NULL) < 0)
    return NL_OK;
  if (tun[IFLA_TUN_OWNER] != NULL)
    add_word (words, "owner %u", nla_get_u32 (tun[IFLA_TUN_OWNER]));
  if (tun[IFLA_TUN_TYPE] != NULL)
    add_word (words, "type %s", nla_get_u8 (tun[IFLA_TUN_TYPE]) == IFF_TAP ? "tap" : "tun");
  if (tun[IFLA_TUN_PERSIST] != NULL && nla_get_u8 (tun[IFLA_TUN_PERSIST]) != 0)
    add_word (words, "persistent");
  if (tun[IFLA_TUN_MULTI_QUEUE] != NULL && nla_get_u8 (tun[IFLA_TUN_MULTI_QUEUE]) != 0)
    add_word (words, "multi-queue");
  return NL_OK;
}

static void
observe_link (DnLinks *links, const char *tap, Words *words)
{
  struct rtnl_link *link;
  struct nl_msg *message;
  char mac[64];

  if (rtnl_link_get_kernel (links->socket, 0, tap, &link) == 0)
    {
      add_word (words, "mac %s", nl_addr2str (rtnl_link_get_addr (link), mac, sizeof mac));
      add_word (words, "mtu %u", rtnl_link_get_mtu (link));
      if ((rtnl_link_get_flags (link) & IFF_UP) != 0)
        add_word (words, "up");
      if ((rtnl_link_get_flags (link) & IFF_PROMISC) != 0)
        add_word (words, "promiscuous");
      if (rtnl_link_get_master (link) != 0)
        add_word (words, "in a bridge");
      rtnl_link_put (link);
    }
  if (rtnl_link_build_get_request (0, tap, &message) == 0)
    {
      struct nl_cb *callbacks = nl_cb_alloc (NL_CB_DEFAULT);

      (void) nl_cb_set (callbacks, NL_CB_VALID, NL_CB_CUSTOM, read_tun, words);
      if (nl_send_auto (links->socket, message) >= 0)
        (void) nl_recvmsgs (links->socket, callbacks);
      (void) nl_wait_for_ack (links->socket);
      nl_cb_put (callbacks);
      nlmsg_free (message);
    }
}

static void
observe_addresses (DnLinks *links, int index, Words *words)
{
  struct nl_cache *cache;
  char text[64];

  if (rtnl_addr_alloc_cache (links->socket, &cache) != 0)
    return;
  for (struct nl_object *object = nl_cache_get_first (cache); object != NULL;
       object = nl_cache_get_next (object))
    {
      struct rtnl_addr *address = (struct rtnl_addr *) object;

      if (rtnl_addr_get_ifindex (address) == index)
        add_word (words, "address %s",
                  nl_addr2str (rtnl_addr_get_local (address), text, sizeof text));
    }
  nl_cache_free (cache);
}

/* Those that somebody made; the kernel has more of its own for each address, in the table local.
 */
static void
observe_routes (DnLinks *links, int index, Words *words)
{
  struct nl_cache *cache;
  char to[64], via[64];

  if (rtnl_route_alloc_cache (links->socket, AF_UNSPEC, 0, &cache) != 0)
    return;
  for (struct nl_object *object = nl_cache_get_first (cache); object != NULL;
       object = nl_cache_get_next (object))
    {
      struct rtnl_route *route = (struct rtnl_route *) object;
      struct rtnl_nexthop *hop
          = rtnl_route_get_nnexthops (route) == 1 ? rtnl_route_nexthop_n (route, 0) : NULL;

      if (hop == NULL || rtnl_route_nh_get_ifindex (hop) != index
          || rtnl_route_get_table (route) == RT_TABLE_LOCAL
          || rtnl_route_get_protocol (route) == RTPROT_KERNEL)
        continue;
      nl_addr2str (rtnl_route_get_dst (route), to, sizeof to);
      if (rtnl_route_nh_get_gateway (hop) == NULL)
        add_word (words, "route %s", to);
      else
        add_word (words, "route %s via %s", to,
                  nl_addr2str (rtnl_route_nh_get_gateway (hop), via, sizeof via));
    }
  nl_cache_free (cache);
}

static void
observe_neighbours (DnLinks *links, int index, Words *words)
{
  struct nl_cache *cache;
  char to[64], mac[64];

  if (rtnl_neigh_alloc_cache (links->socket, &cache) != 0)
    return;
  for (struct nl_object *object = nl_cache_get_first (cache); object != NULL;
       object = nl_cache_get_next (object))
    {
      struct rtnl_neigh *neighbour = (struct rtnl_neigh *) object;

      /* What is not permanent never counts while there is one that is. */
      if (rtnl_neigh_get_ifindex (neighbour) == index
          && (rtnl_neigh_get_state (neighbour) & NUD_PERMANENT) != 0)
        add_word (words, "neighbour %s %s",
                  nl_addr2str (rtnl_neigh_get_dst (neighbour), to, sizeof to),
                  nl_addr2str (rtnl_neigh_get_lladdr (neighbour), mac, sizeof mac));
    }
  nl_cache_free (cache);
}

int
dn_link_observe (DnLinks *links, const DnNetworkPlan *plan, char *text, size_t size)
{
  Words words = { .count = 0 };
  int index = (int) if_nametoindex (plan->tap);

  if (index == 0)
    {
      (void) snprintf (text, size, "no tap");
      return -ENODEV;
    }
  observe_link (links, plan->tap, &words);
  observe_addresses (links, index, &words);
  observe_routes (links, index, &words);
  observe_neighbours (links, index, &words);
  join_words (&words, text, size);
  return 0;
}

static void
promise_family (Words *words, int family, const DnNetworkPlan *plan, const char *guest_mac)
{
  bool is_four = family == AF_INET;
  char gateway[INET6_ADDRSTRLEN], guest[INET6_ADDRSTRLEN], block[INET6_ADDRSTRLEN];

  (void) inet_ntop (family, is_four ? (const void *) &plan->gateway4 : &plan->gateway6, gateway,
                    sizeof gateway);
  (void) inet_ntop (family, is_four ? (const void *) &plan->guest4 : &plan->guest6, guest,
                    sizeof guest);
  (void) inet_ntop (family, is_four ? (const void *) &plan->block4 : &plan->block6, block,
                    sizeof block);
  /* A whole address is written without its length, as libnl does it. */
  add_word (words, "address %s", gateway);
  add_word (words, "route %s", guest);
  add_word (words, "route %s/%d via %s", block,
            is_four ? DN_NETWORK_BLOCK4_BITS : DN_NETWORK_BLOCK6_BITS, guest);
  add_word (words, "neighbour %s %s", guest, guest_mac);
}

static void
promise_tap (Words *words, const DnNetworkPlan *plan, uint32_t mtu)
{
  char mac[DN_NETWORK_MAC_TEXT_BYTES];

  dn_network_mac_format (plan->host_mac, mac);
  add_word (words, "mac %s", mac);
  add_word (words, "mtu %u", mtu);
  add_word (words, "up");
  add_word (words, "owner %u", plan->uid);
  add_word (words, "type tap");
  add_word (words, "persistent");
}

void
dn_link_promise (const DnNetworkPlan *plan, bool has_ipv6, char *text, size_t size)
{
  char mac[DN_NETWORK_MAC_TEXT_BYTES];
  Words words = { .count = 0 };

  promise_tap (&words, plan, DN_NETWORK_MTU);
  dn_network_mac_format (plan->guest_mac, mac);
  promise_family (&words, AF_INET, plan, mac);
  if (has_ipv6)
    promise_family (&words, AF_INET6, plan, mac);
  join_words (&words, text, size);
}

void
dn_link_promise_bare (const DnNetworkPlan *plan, uint32_t mtu, const char *const *neighbours,
                      char *text, size_t size)
{
  Words words = { .count = 0 };

  promise_tap (&words, plan, mtu);
  for (; *neighbours != NULL; neighbours++)
    add_word (&words, "neighbour %s", *neighbours);
  join_words (&words, text, size);
}
