/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a pod's network is what POD_JOIN has made of the card that is there: one line
 * "NAME\tPROMISED\tOBSERVED" for each fact, as VERIFY has them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pod-rules.h"
#include "pod-unfit.h"
#include "pod.h"
#include "sysctl.h"
#include "twin.h"

#define FACTS_BYTES 4096
#define NEIGHBOUR_BYTES (INET6_ADDRSTRLEN + DN_NETWORK_MAC_TEXT_BYTES + 1)

static int
write_fact (DnGatewayAnswer *answer, const char *name, bool is_same, const char *promise,
            const char *why)
{
  return dn_answer_line (answer, "%s\t%s\t%s", name, promise, is_same ? promise : why);
}

static int
verify_tap (DnNetwork *network, const DnPodFacts *facts, const DnNetworkPlan *plan,
            DnGatewayAnswer *answer)
{
  char promised[FACTS_BYTES], observed[FACTS_BYTES], mac[DN_NETWORK_MAC_TEXT_BYTES];
  char words[2][NEIGHBOUR_BYTES];
  const char *neighbours[3] = { NULL };
  size_t count = 0;

  dn_network_mac_format (facts->mac, mac);
  for (uint8_t family = 4; family <= 6; family += 2)
    {
      const DnPodRecord *own = dn_pod_own_address (facts, family);
      char address[INET6_ADDRSTRLEN];

      if (own == NULL || (family == 6 && !network->has_ipv6))
        continue;
      (void) inet_ntop (family == 4 ? AF_INET : AF_INET6, own->address, address, sizeof address);
      (void) snprintf (words[count], sizeof words[count], "%s %s", address, mac);
      neighbours[count] = words[count];
      count++;
    }
  dn_link_promise_bare (plan, facts->mtu, neighbours, promised, sizeof promised);
  (void) dn_link_observe (&network->links, plan, observed, sizeof observed);
  return write_fact (answer, "tap", strcmp (promised, observed) == 0, promised, observed);
}

static int
verify_settings (DnNetwork *network, const char *tap, DnGatewayAnswer *answer)
{
  char why[128];

  for (size_t i = 0; i < DN_POD_SETTINGS; i++)
    {
      const DnPodSetting *setting = &dn_pod_settings[i];
      const char *device = setting->device != NULL ? setting->device : tap;
      int value;

      if (setting->family == 6 && !network->has_ipv6)
        continue;
      value = dn_sysctl_read_device (setting->family, device, setting->name);
      if (value == setting->value || (value == -ENOENT && setting->family == 6))
        continue;
      (void) snprintf (why, sizeof why, "%s of %s is %d, not %d", setting->name, device, value,
                       setting->value);
      return write_fact (answer, "settings", false, "as made", why);
    }
  return write_fact (answer, "settings", true, "as made", NULL);
}

static bool
compare_rules (DnNetwork *network, const DnPodFacts *facts, const char *tap, char *why, size_t size)
{
  const struct
  {
    const char *name;
    const char *device; /* NULL: no hook */
    const char *policy;
  } chains[] = {
    { "in-tap", tap, "drop" },   { "in-card", facts->name, "drop" },
    { "in-lo", "lo", "accept" }, { "from-arp", NULL, NULL },
    { "four", NULL, NULL },      { "six", NULL, NULL },
    { "back4", NULL, NULL },     { "back6", NULL, NULL },
  };

  for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++)
    {
      char hook[160];
      DnTwin twin = { "chain", "netdev", DN_POD_TABLE, DN_POD_TWIN, chains[i].name, NULL };

      if (chains[i].device != NULL)
        {
          (void) snprintf (hook, sizeof hook,
                           "type filter hook ingress device \"%s\" priority filter; policy %s;",
                           chains[i].device, chains[i].policy);
          twin.hook = hook;
        }
      if (!dn_twin_compare (network, &twin, why, size))
        return false;
    }
  return true;
}

static int
verify_rules (DnNetwork *network, const DnPodFacts *facts, const char *tap, DnGatewayAnswer *answer)
{
  char why[512];
  bool is_same;
  int r;

  dn_pod_rules_write_twin (network->nft.text, facts, tap);
  r = dn_nft_commit (&network->nft, "rules to compare with", answer);
  if (r < 0)
    return r;
  is_same = compare_rules (network, facts, tap, why, sizeof why);
  dn_pod_rules_write_removal (network->nft.text, DN_POD_TWIN);
  (void) dn_nft_commit (&network->nft, NULL, answer);
  return write_fact (answer, "rules", is_same, "as made", why);
}

int
dn_pod_verify (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer)
{
  static DnPodFacts facts;
  DnNetworkPlan plan;
  char name[100];
  int r = dn_pod_facts_read (&network->links, &facts, answer);

  dn_pod_plan (slot, &plan);
  if (r == 0)
    r = verify_tap (network, &facts, &plan, answer);
  if (r == 0)
    r = verify_settings (network, plan.tap, answer);
  if (r == 0 && dn_link_exists (plan.tap))
    r = verify_rules (network, &facts, plan.tap, answer);
  else if (r == 0)
    r = write_fact (answer, "rules", false, "as made", "no tap");
  return r == 0 ? write_fact (answer, "others", !dn_pod_find_stranger (network, name, sizeof name),
                              "none", name)
                : r;
}
