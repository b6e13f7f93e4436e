/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a guest's network is what its order promises: what is made, read back; rules beside their
 * twins (twin.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "orders.h"
#include "rules.h"
#include "sysctl.h"
#include "twin.h"

#define FACTS_BYTES 4096

/* Common to all guests, with the hook that each shall have. */
static const struct
{
  const char *chain;
  const char *hook; /* as the kernel prints it, or NULL */
} base_chains[] = {
  { "prerouting", "type filter hook prerouting priority raw; policy accept;" },
  { "input", "type filter hook input priority filter - 10; policy accept;" },
  { "forward", "type filter hook forward priority filter - 10; policy accept;" },
  { "output", "type filter hook output priority filter - 10; policy accept;" },
  { "postrouting", "type nat hook postrouting priority srcnat; policy accept;" },
  { "arriving", NULL },
  { "never", NULL },
  { "special", NULL },
  { "refuse", NULL },
  { "uid", NULL },
};

static const char *const special_sets[] = { "never4", "never6", "special4", "special6" };
static const char *const guest_maps[]
    = { "taps", "at", "from", "to", "host", "out", "uids", "marks" };
static const char *const guest_chains[]
    = { "at", "new", "from", "to", "host", "out", "reach", "asks" };

static bool
compare_object (DnNetwork *network, const char *kind, const char *family, const char *name,
                const char *hook, char *why, size_t size)
{
  const DnTwin twin = { kind, family, DN_RULES_TABLE, DN_RULES_TWIN, name, hook };

  return dn_twin_compare (network, &twin, why, size);
}

static bool
compare_base (DnNetwork *network, char *why, size_t size)
{
  for (size_t i = 0; i < sizeof base_chains / sizeof base_chains[0]; i++)
    if (!compare_object (network, "chain", "inet", base_chains[i].chain, base_chains[i].hook, why,
                         size))
      return false;
  for (size_t i = 0; i < sizeof special_sets / sizeof special_sets[0]; i++)
    if (!compare_object (network, "set", "inet", special_sets[i], NULL, why, size))
      return false;
  return true;
}

static bool
compare_guest (DnNetwork *network, const DnGatewayGuest *guest, const char *tap, char *why,
               size_t size)
{
  char name[64];

  for (size_t i = 0; i < sizeof guest_chains / sizeof guest_chains[0]; i++)
    {
      (void) snprintf (name, sizeof name, "%s-%s", guest_chains[i], tap);
      if (!compare_object (network, "chain", "inet", name, NULL, why, size))
        return false;
    }
  (void) snprintf (name, sizeof name, "group-%u", guest->group);
  return guest->group == 0 || compare_object (network, "chain", "inet", name, NULL, why, size);
}

static bool
compare_device (DnNetwork *network, const char *tap, char *why, size_t size)
{
  static const char *const ways[][2] = { { "in", "ingress" }, { "out", "egress" } };
  char name[64], hook[160];

  for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
    {
      (void) snprintf (name, sizeof name, "%s-%s", ways[i][0], tap);
      (void) snprintf (hook, sizeof hook,
                       "type filter hook %s device \"%s\" priority filter; policy drop;",
                       ways[i][1], tap);
      if (!compare_object (network, "chain", "netdev", name, hook, why, size))
        return false;
    }
  return true;
}

/* Where packets of this tap, and of sockets for it, find its chains at all. */
static bool
compare_maps (DnNetwork *network, const DnNetworkPlan *plan, char *why, size_t size)
{
  for (size_t i = 0; i < sizeof guest_maps / sizeof guest_maps[0]; i++)
    {
      const char *name = guest_maps[i];
      const char *kind = strcmp (name, "uids") == 0 || strcmp (name, "taps") == 0 ? "set" : "map";
      char *real = dn_twin_list (network, kind, "inet", DN_RULES_TABLE, name);
      char element[96];
      bool is_there;

      if (strcmp (name, "uids") == 0)
        (void) snprintf (element, sizeof element, "%u", plan->uid);
      else if (strcmp (name, "taps") == 0)
        (void) snprintf (element, sizeof element, "\"%s\"", plan->tap);
      else if (strcmp (name, "marks") == 0)
        (void) snprintf (element, sizeof element, "0x%08x : goto reach-%s",
                         DN_RULES_MARK_REACH | plan->slot, plan->tap);
      else
        (void) snprintf (element, sizeof element, "\"%s\" : jump %s-%s", plan->tap, name,
                         plan->tap);
      is_there = real != NULL && strstr (real, element) != NULL;
      free (real);
      if (!is_there)
        {
          (void) snprintf (why, size, "%s %s: no '%s'", kind, name, element);
          return false;
        }
    }
  return true;
}

static int
make_twin (DnNetwork *network, const DnGatewayGuest *guest, const DnNetworkPlan *plan,
           DnGatewayAnswer *answer)
{
  /* What a gateway that was ended in between has left. */
  fputs ("add table inet " DN_RULES_TWIN "\ndelete table inet " DN_RULES_TWIN "\n"
         "add table netdev " DN_RULES_TWIN "\ndelete table netdev " DN_RULES_TWIN "\n",
         network->nft.text);
  dn_rules_write_base (network->nft.text, DN_RULES_TWIN, true, dn_network_sum ());
  dn_rules_write_guest (network->nft.text, DN_RULES_TWIN, true, guest, plan);
  return dn_nft_commit (&network->nft, "rules to compare with", answer);
}

static int
write_fact (DnGatewayAnswer *answer, const char *name, bool is_same, const char *promise,
            const char *why)
{
  return dn_answer_line (answer, "%s\t%s\t%s", name, promise, is_same ? promise : why);
}

static int
verify_rules (DnNetwork *network, const DnGatewayGuest *guest, const DnNetworkPlan *plan,
              DnGatewayAnswer *answer)
{
  char why[512];
  bool is_same;
  int r = make_twin (network, guest, plan, answer);

  if (r < 0)
    return r;
  is_same = compare_base (network, why, sizeof why);
  r = write_fact (answer, "rules.common", is_same, "as made", why);
  is_same = compare_device (network, plan->tap, why, sizeof why);
  if (r == 0)
    r = write_fact (answer, "rules.tap", is_same, "as made", why);
  is_same = compare_guest (network, guest, plan->tap, why, sizeof why);
  if (r == 0)
    r = write_fact (answer, "rules.guest", is_same, "as made", why);
  is_same = compare_maps (network, plan, why, sizeof why);
  if (r == 0)
    r = write_fact (answer, "rules.entry", is_same, "as made", why);
  fputs ("delete table inet " DN_RULES_TWIN "\ndelete table netdev " DN_RULES_TWIN "\n",
         network->nft.text);
  (void) dn_nft_commit (&network->nft, NULL, answer);
  return r;
}

static int
verify_settings (DnNetwork *network, const DnNetworkPlan *plan, DnGatewayAnswer *answer)
{
  char why[128];

  for (const DnTapSetting *setting = dn_tap_settings; setting->name != NULL; setting++)
    {
      int value;

      if (setting->family == 6 && !network->has_ipv6)
        continue;
      value = dn_sysctl_read_device (setting->family, plan->tap, setting->name);
      if (value == setting->value || value == -ENOENT)
        continue;
      (void) snprintf (why, sizeof why, "ipv%d %s is %d, not %d", setting->family, setting->name,
                       value, setting->value);
      return write_fact (answer, "settings", false, "as made", why);
    }
  return write_fact (answer, "settings", true, "as made", NULL);
}

int
dn_order_verify (DnNetwork *network, const DnGatewayGuest *guest, DnGatewayAnswer *answer)
{
  char promised[FACTS_BYTES], observed[FACTS_BYTES];
  DnNetworkPlan plan;
  int r;

  if (dn_network_plan_make (&guest->pool, guest->slot, &plan) < 0)
    return dn_fault (answer, -ERANGE, "identity slot %u has no addresses", guest->slot);
  dn_link_promise (&plan, network->has_ipv6, promised, sizeof promised);
  (void) dn_link_observe (&network->links, &plan, observed, sizeof observed);
  r = write_fact (answer, "tap", strcmp (promised, observed) == 0, promised, observed);
  if (r == 0)
    r = verify_settings (network, &plan, answer);
  return r == 0 ? verify_rules (network, guest, &plan, answer) : r;
}
