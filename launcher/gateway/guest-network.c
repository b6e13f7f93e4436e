/* SPDX-License-Identifier: Apache-2.0 */
#include "guest-network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conntrack.h"
#include "forwarding.h"
#include "rules.h"
#include "sysctl.h"

#define TRACKED_DEFAULT 65536

const DnTapSetting dn_tap_settings[] = {
  { "forwarding", 4, 1 },
  { "rp_filter", 4, 1 }, /* nothing from the block comes in elsewhere */
  { "accept_source_route", 4, 0 },
  { "accept_redirects", 4, 0 },
  { "secure_redirects", 4, 0 },
  { "send_redirects", 4, 0 }, /* there is nobody else on the wire */
  { "proxy_arp", 4, 0 },
  { "proxy_arp_pvlan", 4, 0 },
  { "accept_local", 4, 0 },
  { "route_localnet", 4, 0 },
  { "bc_forwarding", 4, 0 },
  { "arp_ignore", 4, 1 }, /* answers for the tap's own address alone */
  { "arp_accept", 4, 0 },
  { "disable_ipv6", 6, 0 },
  { "forwarding", 6, 1 },
  { "accept_ra", 6, 0 },
  { "autoconf", 6, 0 },
  { "accept_redirects", 6, 0 },
  { "accept_source_route", 6, 0 },
  { "proxy_ndp", 6, 0 },
  { "addr_gen_mode", 6, 1 }, /* no link-local address: nothing needs one */
  { "accept_dad", 6, 0 },
  { "router_solicitations", 6, 0 },
  { NULL, 0, 0 },
};

int
dn_network_init (DnNetwork *network, DnGatewayAnswer *answer)
{
  int r;

  *network = (DnNetwork){ .has_ipv6 = dn_sysctl_read ("ipv6/conf/all/forwarding") >= 0 };
  r = dn_nft_init (&network->nft, answer);
  return r == 0 ? dn_links_open (&network->links, answer) : r;
}

void
dn_network_clear (DnNetwork *network)
{
  dn_nft_clear (&network->nft);
  dn_links_close (&network->links);
}

bool
dn_network_has_table (DnNetwork *network)
{
  return dn_nft_list (&network->nft, "chain inet " DN_RULES_TABLE " " DN_RULES_VERSION) != NULL;
}

uint32_t
dn_network_sum (void)
{
  int most = dn_sysctl_read ("netfilter/nf_conntrack_max");

  return (uint32_t) (most > 1 ? most : TRACKED_DEFAULT) / 2;
}

typedef struct
{
  bool *slots;
  uint32_t count;
} Found;

static void
find_slot (const char *name, void *data)
{
  Found *found = data;
  uint32_t slot;

  if (!dn_network_tap_slot (name, &slot) || found->slots[slot])
    return;
  found->slots[slot] = true;
  found->count++;
}

uint32_t
dn_network_find_slots (DnNetwork *network, bool *slots)
{
  Found found = { .slots = slots };
  const char *listed;
  char *names, *rest, *name;

  memset (slots, 0, DN_NETWORK_SLOTS * sizeof *slots);
  (void) dn_links_each (&network->links, find_slot, &found);
  /* All of a guest's rules come and go with its element here. */
  listed = dn_nft_list (&network->nft, "map inet " DN_RULES_TABLE " from");
  names = rest = listed == NULL ? NULL : strdup (listed);
  while ((name = strsep (&rest, "\"")) != NULL)
    find_slot (name, &found);
  free (names);
  return found.count;
}

static int
set_tap (const char *tap, bool has_ipv6, DnGatewayAnswer *answer)
{
  for (const DnTapSetting *setting = dn_tap_settings; setting->name != NULL; setting++)
    {
      int r;

      if (setting->family == 6 && !has_ipv6)
        continue;
      r = dn_sysctl_write_device (setting->family, tap, setting->name, setting->value);
      /* A kernel that does not know it does not do it. */
      if (r < 0 && r != -ENOENT)
        return dn_fault (answer, r, "tap '%s': ipv%d setting %s: %s", tap, setting->family,
                         setting->name, strerror (-r));
    }
  return 0;
}

/* Of another version nothing can be told apart: it is for a host without guests to change it. */
static int
make_table (DnNetwork *network, DnGatewayAnswer *answer)
{
  if (dn_network_has_table (network))
    return 0;
  if (dn_nft_list (&network->nft, "map inet " DN_RULES_TABLE " from") != NULL)
    return dn_fault (answer, -EEXIST,
                     "table inet " DN_RULES_TABLE ": of another version of danchi-gateway\n"
                     "stop all contexts with a network, run danchi gc, and start them again");
  dn_rules_write_base (network->nft.text, DN_RULES_TABLE, false, dn_network_sum ());
  return dn_nft_commit (&network->nft, "rules", answer);
}

static int
make_tap (DnNetwork *network, const DnGatewayGuest *guest, const DnNetworkPlan *plan, int tap_fd,
          DnGatewayAnswer *answer)
{
  int r = set_tap (plan->tap, network->has_ipv6, answer);

  if (r == 0)
    {
      dn_rules_write_guest (network->nft.text, DN_RULES_TABLE, false, guest, plan);
      r = dn_nft_commit (&network->nft, plan->tap, answer);
    }
  if (r == 0)
    r = dn_link_raise (&network->links, plan, network->has_ipv6, answer);
  return r == 0 ? dn_link_keep (tap_fd, plan, answer) : r;
}

/* What is missing when danchid asks to remove what was never whole is no fault. */
static void
clean_up (DnNetwork *network, uint32_t slot)
{
  DnGatewayAnswer *ignored = calloc (1, sizeof *ignored);

  if (ignored != NULL)
    (void) dn_guest_network_close (network, slot, ignored);
  free (ignored);
}

typedef struct
{
  uint32_t list_bits;
  uint32_t group;
} Uses;

/* What a guest's chain names: its lists and its group. */
static Uses
find_uses (DnNetwork *network, const char *tap)
{
  char object[64], list[40];
  Uses uses = { .group = 0 };
  const char *rules, *at;

  (void) snprintf (object, sizeof object, "chain inet " DN_RULES_TABLE " from-%s", tap);
  (void) snprintf (list, sizeof list, "@%s-list", tap);
  rules = dn_nft_list (&network->nft, object);
  if (rules == NULL)
    return uses;
  for (at = strstr (rules, list); at != NULL; at = strstr (at + 1, list))
    {
      unsigned long number = strtoul (at + strlen (list), NULL, 10);

      if (number >= 1 && number <= DN_GATEWAY_LISTS_MAX)
        uses.list_bits |= 1u << (number - 1);
    }
  at = strstr (rules, "goto group-");
  if (at != NULL)
    uses.group = (uint32_t) strtoul (at + strlen ("goto group-"), NULL, 10);
  return uses;
}

int
dn_network_remove_common (DnNetwork *network, DnGatewayAnswer *answer)
{
  int r;

  if (dn_nft_list (&network->nft, "map inet " DN_RULES_TABLE " from") == NULL)
    return 0;
  r = dn_forwarding_end (&network->nft, answer);
  (void) dn_link_open_pools (&network->links);
  if (r < 0)
    return r;
  fputs ("delete table netdev " DN_RULES_TABLE "\ndelete table inet " DN_RULES_TABLE "\n",
         network->nft.text);
  return dn_nft_commit (&network->nft, "rules: remove", answer);
}

static int
remove_rules (DnNetwork *network, uint32_t slot, const char *tap, DnGatewayAnswer *answer)
{
  Uses uses = find_uses (network, tap);
  int r;

  dn_rules_write_removal (network->nft.text, slot, uses.list_bits);
  r = dn_nft_commit (&network->nft, tap, answer);
  if (r == 0 && uses.group != 0)
    {
      /* Refused while another member's chain still goes there. */
      fprintf (network->nft.text,
               "delete chain inet " DN_RULES_TABLE " group-%1$u\n"
               "delete set inet " DN_RULES_TABLE " group-%1$u-4\n"
               "delete set inet " DN_RULES_TABLE " group-%1$u-6\n",
               uses.group);
      (void) dn_nft_commit (&network->nft, NULL, answer);
    }
  return r;
}

/* Returns: how many other slots there are, or -errno */
static int
remove_guest (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer)
{
  static bool slots[DN_NETWORK_SLOTS];
  int count = (int) dn_network_find_slots (network, slots), r;
  char tap[DN_NETWORK_TAP_BYTES];

  if (!slots[slot])
    return count;
  dn_network_tap_name (slot, tap);
  r = dn_link_remove (&network->links, tap, answer);
  if (r == 0 && dn_nft_list (&network->nft, "map inet " DN_RULES_TABLE " from") != NULL)
    {
      r = dn_conntrack_forget (slot, answer);
      if (r == 0)
        r = remove_rules (network, slot, tap, answer);
    }
  return r < 0 ? r : count - 1;
}

int
dn_guest_network_open (DnNetwork *network, const DnGatewayGuest *guest, DnGatewayAnswer *answer)
{
  DnNetworkPlan plan;
  int r, tap_fd;

  if (dn_network_plan_make (&guest->pool, guest->slot, &plan) < 0)
    return dn_fault (answer, -ERANGE,
                     "identity slot %u has no addresses: %u guests have a network at most\n"
                     "widen [network] ipv4_pool in danchi.conf",
                     guest->slot, dn_network_pool_count (&guest->pool));
  r = remove_guest (network, guest->slot, answer);
  if (r >= 0)
    r = make_table (network, answer);
  if (r == 0)
    r = dn_conntrack_forget (guest->slot, answer);
  if (r == 0)
    r = dn_forwarding_begin (&network->nft, &network->links, network->has_ipv6, answer);
  if (r == 0)
    r = dn_link_close_pool (&network->links, &guest->pool, network->has_ipv6, answer);
  tap_fd = r == 0 ? dn_link_make_tap (&plan, answer) : r;
  r = tap_fd >= 0 ? make_tap (network, guest, &plan, tap_fd, answer) : tap_fd;
  if (tap_fd >= 0)
    (void) close (tap_fd);
  if (r < 0)
    clean_up (network, guest->slot);
  return r;
}

int
dn_guest_network_close (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer)
{
  int others = remove_guest (network, slot, answer);

  return others != 0 ? (others < 0 ? others : 0) : dn_network_remove_common (network, answer);
}
