/* SPDX-License-Identifier: Apache-2.0 */
/* What danchi doctor asks: one line "NAME\tok" or "NAME\tREASON" each, the remedy is danchid's to
 * say (network/network-doctor.h). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/route.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "orders.h"
#include "pod-rules.h"
#include "rules.h"

/* What was written to the text, and away again. */
static int
try_rules (DnNetwork *network, const char *name, void (*write_removal) (FILE *),
           DnGatewayAnswer *answer)
{
  DnGatewayAnswer *fault = calloc (1, sizeof *fault);
  int r;

  if (fault == NULL)
    return -ENOMEM;
  r = dn_nft_commit (&network->nft, "rules", fault);
  if (r == 0)
    r = dn_answer_line (answer, "%s\tok", name);
  else
    r = dn_answer_line (answer, "%s\t%.*s", name, (int) strcspn (fault->error, "\n"), fault->error);
  write_removal (network->nft.text);
  (void) dn_nft_commit (&network->nft, NULL, fault);
  free (fault);
  return r;
}

static void
write_twin_removal (FILE *text)
{
  fputs ("add table inet " DN_RULES_TWIN "\ndelete table inet " DN_RULES_TWIN
         "\nadd table netdev " DN_RULES_TWIN "\ndelete table netdev " DN_RULES_TWIN "\n",
         text);
}

/* All that a guest's rules need, hooked where they are: on lo, where the chains are empty and let
 * everything pass. */
static int
probe_rules (DnNetwork *network, DnGatewayAnswer *answer)
{
  write_twin_removal (network->nft.text);
  dn_rules_write_base (network->nft.text, DN_RULES_TWIN, true, dn_network_sum ());
  fputs ("add chain netdev " DN_RULES_TWIN
         " in { type filter hook ingress device lo priority 0; }\n"
         "add chain netdev " DN_RULES_TWIN " out { type filter hook egress device lo priority 0; "
         "}\n"
         "add chain inet " DN_RULES_TWIN " nat { type nat hook postrouting priority srcnat; }\n",
         network->nft.text);
  return try_rules (network, "rules", write_twin_removal, answer);
}

static void
write_pod_removal (FILE *text)
{
  dn_pod_rules_write_removal (text, DN_POD_TWIN);
}

/* A pod's rules, of both families, hooked to nothing. */
static int
probe_pods (DnNetwork *network, DnGatewayAnswer *answer)
{
  static DnPodFacts facts = { .name = "lo",
                              .count = 2,
                              .records = { { .kind = DN_POD_ADDRESS, .family = 4, .bits = 32 },
                                           { .kind = DN_POD_ADDRESS, .family = 6, .bits = 128 } } };

  facts.records[0].address[0] = 10;
  facts.records[1].address[0] = 0xfd;
  dn_pod_rules_write_twin (network->nft.text, &facts, "lo");
  return try_rules (network, "pods", write_pod_removal, answer);
}

static int
probe_tap (DnGatewayAnswer *answer)
{
  int fd = open ("/dev/net/tun", O_RDWR | O_CLOEXEC);
  int r = fd < 0 ? dn_answer_line (answer, "tap\t/dev/net/tun: %s", strerror (errno))
                 : dn_answer_line (answer, "tap\tok");

  if (fd >= 0)
    (void) close (fd);
  return r;
}

/* Whether the table lets our taps through by name. */
static bool
knows_taps (DnNetwork *network, const char *family, const char *table)
{
  char object[160];
  const char *listed;

  (void) snprintf (object, sizeof object, "table %s %s", family, table);
  listed = dn_nft_list (&network->nft, object);
  return listed != NULL && strstr (listed, "\"" DN_NETWORK_TAP_PREFIX "*\"") != NULL;
}

/* The name that follows "table" or "chain" in a line of a listing. */
static bool
read_name (const char *line, const char *word, char *ret_name, size_t size)
{
  size_t length = strlen (word), end;

  line += strspn (line, "\t");
  if (strncmp (line, word, length) != 0)
    return false;
  end = strcspn (line + length, " {");
  if (end == 0 || end >= size)
    return false;
  memcpy (ret_name, line + length, end);
  ret_name[end] = '\0';
  return true;
}

/* Another's table that refuses what is forwarded refuses ours too, whatever our own says.  Those of
 * a tool that is known to put its refusal into a rule are told by their name. */
static int
probe_foreign (DnNetwork *network, DnGatewayAnswer *answer)
{
  static const char *const families[] = { "ip", "ip6", "inet" };
  bool is_fine = true;
  int r = 0;

  for (size_t i = 0; r == 0 && i < sizeof families / sizeof families[0]; i++)
    {
      char object[32], table[128] = "", chain[128] = "";
      char *text, *rest, *line;

      (void) snprintf (object, sizeof object, "chains %s", families[i]);
      text = rest = strdup (
          dn_nft_list (&network->nft, object) != NULL ? dn_nft_list (&network->nft, object) : "");
      while (r == 0 && text != NULL && (line = strsep (&rest, "\n")) != NULL)
        {
          char prefix[32];

          (void) snprintf (prefix, sizeof prefix, "table %s ", families[i]);
          if (read_name (line, prefix, table, sizeof table)
              || read_name (line, "chain ", chain, sizeof chain)
              || strncmp (table, DN_RULES_TABLE, strlen (DN_RULES_TABLE)) == 0
              || strstr (line, "hook forward") == NULL
              || (strstr (line, "policy drop") == NULL && strcmp (table, "firewalld") != 0)
              || knows_taps (network, families[i], table))
            continue;
          is_fine = false;
          r = dn_answer_line (answer, "foreign\ttable %s %s, chain %s", families[i], table, chain);
        }
      free (text);
    }
  return r == 0 && is_fine ? dn_answer_line (answer, "foreign\tok") : r;
}

static bool
overlaps (const DnNetworkPool *pool, struct nl_addr *to)
{
  unsigned bits = nl_addr_get_prefixlen (to);
  uint32_t address, mask;

  if (nl_addr_get_family (to) != AF_INET || bits == 0)
    return false;
  memcpy (&address, nl_addr_get_binary_addr (to), sizeof address);
  if (pool->bits4 < bits)
    bits = pool->bits4;
  mask = htonl (~0u << (32 - bits));
  return (address & mask) == (pool->address4.s_addr & mask);
}

/* Routes of others into the pool, those of addresses among them: what a guest's has hidden, the
 * host reaches no more. */
static int
probe_pool (DnNetwork *network, const DnNetworkPool *pool, DnGatewayAnswer *answer)
{
  struct nl_cache *routes;
  bool is_fine = true;
  int r = 0;

  if (rtnl_route_alloc_cache (network->links.socket, AF_INET, 0, &routes) != 0)
    return dn_answer_line (answer, "pool\tthe host's routes cannot be read");
  for (struct nl_object *object = nl_cache_get_first (routes); r == 0 && object != NULL;
       object = nl_cache_get_next (object))
    {
      struct rtnl_route *route = (struct rtnl_route *) object;
      struct rtnl_nexthop *hop
          = rtnl_route_get_nnexthops (route) > 0 ? rtnl_route_nexthop_n (route, 0) : NULL;
      char device[IF_NAMESIZE] = "?", to[64];
      uint32_t slot;

      if (rtnl_route_get_protocol (route) == DN_LINK_PROTOCOL || rtnl_route_get_dst (route) == NULL
          || !overlaps (pool, rtnl_route_get_dst (route)))
        continue;
      if (hop != NULL)
        (void) if_indextoname ((unsigned) rtnl_route_nh_get_ifindex (hop), device);
      if (dn_network_tap_slot (device, &slot))
        continue;
      is_fine = false;
      r = dn_answer_line (answer, "pool\troute %s at %s",
                          nl_addr2str (rtnl_route_get_dst (route), to, sizeof to), device);
    }
  nl_cache_free (routes);
  return r == 0 && is_fine ? dn_answer_line (answer, "pool\tok") : r;
}

int
dn_order_probe (DnNetwork *network, const DnNetworkPool *pool, DnGatewayAnswer *answer)
{
  int r = probe_rules (network, answer);

  if (r == 0)
    r = probe_pods (network, answer);
  if (r == 0)
    r = probe_tap (answer);
  if (r == 0)
    r = probe_foreign (network, answer);
  if (r == 0)
    r = probe_pool (network, pool, answer);
  return r == 0 ? dn_answer_line (answer, "connections\t%u", dn_network_sum ()) : r;
}
