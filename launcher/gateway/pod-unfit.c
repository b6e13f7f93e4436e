/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-unfit.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/rule.h>
#include <netlink/route/tc.h>
#include <stdio.h>
#include <string.h>

#include "pod-rules.h"

static int
look_at_card (DnNetwork *network, const DnPodFacts *facts, DnGatewayAnswer *answer)
{
  struct rtnl_link *link;
  bool has_arp;

  if (rtnl_link_get_kernel (network->links.socket, facts->index, NULL, &link) != 0)
    return dn_fault (answer, -ENODEV, "the pod's card '%s' is not there any more", facts->name);
  has_arp = (rtnl_link_get_flags (link) & IFF_NOARP) == 0;
  rtnl_link_put (link);
  return has_arp ? 0
                 : dn_fault (answer, -ENOTSUP,
                             "the pod's card '%s' is one without ARP, which a guest cannot have\n"
                             "with CNI's ipvlan, set its mode to l2",
                             facts->name);
}

/* The tables that every kernel asks by itself. */
static bool
is_usual (uint32_t table)
{
  return table == RT_TABLE_LOCAL || table == RT_TABLE_MAIN || table == RT_TABLE_DEFAULT;
}

static int
look_at_ways (DnNetwork *network, DnGatewayAnswer *answer)
{
  struct nl_cache *cache;
  uint32_t strange = 0;

  if (rtnl_rule_alloc_cache (network->links.socket, AF_UNSPEC, &cache) != 0)
    return dn_fault (answer, -EIO, "the pod's routing rules cannot be read");
  for (struct nl_object *object = nl_cache_get_first (cache); object != NULL;
       object = nl_cache_get_next (object))
    {
      const uint32_t table = rtnl_rule_get_table ((struct rtnl_rule *) object);

      if (strange == 0 && !is_usual (table))
        strange = table;
    }
  nl_cache_free (cache);
  return strange == 0 ? 0
                      : dn_fault (answer, -ENOTSUP,
                                  "the pod's network namespace has a rule that leads to the table "
                                  "of routes %u: its guest has one table\n"
                                  "leave CNI's sbr, and what makes such rules, out for this pod",
                                  strange);
}

/* Of nf_tables: the first table that is not ours. */
static bool
find_table (DnNetwork *network, char *name, size_t size)
{
  static const char own[] = "netdev " DN_POD_TABLE;
  const char *line = dn_nft_list (&network->nft, "tables");

  for (; line != NULL && *line != '\0'; line += strcspn (line, "\n"), line += *line == '\n')
    {
      const int length = (int) strcspn (line, "\n");

      /* Ours, and its twin. */
      if (strncmp (line, "table ", strlen ("table ")) != 0
          || strncmp (line + strlen ("table "), own, strlen (own)) == 0)
        continue;
      (void) snprintf (name, size, "%.*s", length, line);
      return true;
    }
  return false;
}

/* Of tc: where something may take a packet before nf_tables sees it. */
static bool
find_filter (DnNetwork *network, char *name, size_t size)
{
  struct nl_cache *cache;
  bool is_found = false;

  if (rtnl_qdisc_alloc_cache (network->links.socket, &cache) != 0)
    return false;
  for (struct nl_object *object = nl_cache_get_first (cache); !is_found && object != NULL;
       object = nl_cache_get_next (object))
    {
      struct rtnl_tc *qdisc = TC_CAST (object);
      const char *kind = rtnl_tc_get_kind (qdisc);
      char device[IF_NAMESIZE] = "?";

      is_found = kind != NULL && (strcmp (kind, "ingress") == 0 || strcmp (kind, "clsact") == 0);
      (void) if_indextoname ((unsigned) rtnl_tc_get_ifindex (qdisc), device);
      if (is_found)
        (void) snprintf (name, size, "tc's %s at %s", kind, device);
    }
  nl_cache_free (cache);
  return is_found;
}

bool
dn_pod_find_stranger (DnNetwork *network, char *name, size_t size)
{
  return find_table (network, name, size) || find_filter (network, name, size);
}

static int
look_at_rules (DnNetwork *network, DnGatewayAnswer *answer)
{
  char name[100];

  return !dn_pod_find_stranger (network, name, sizeof name)
             ? 0
             : dn_fault (answer, -ENOTSUP,
                         "the pod's network namespace has rules of its own (%s), which its guest "
                         "would be without\n"
                         "have them made inside of the pod: with Istio, by an init container in "
                         "place of its CNI plug-in",
                         name);
}

int
dn_pod_find_unfit (DnNetwork *network, const DnPodFacts *facts, DnGatewayAnswer *answer)
{
  int r = look_at_card (network, facts, answer);

  if (r == 0)
    r = look_at_ways (network, answer);
  return r == 0 ? look_at_rules (network, answer) : r;
}
