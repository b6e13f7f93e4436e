/* SPDX-License-Identifier: Apache-2.0 */
#include "pod.h"

#include <errno.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <string.h>
#include <unistd.h>

#include "pod-facts.h"
#include "pod-rules.h"
#include "pod-unfit.h"
#include "sysctl.h"

void
dn_pod_plan (uint32_t slot, DnNetworkPlan *plan)
{
  const uint8_t mac[DN_NETWORK_MAC_BYTES]
      = { 0x02, 0x64, 0x6e, 0x01, (uint8_t) (slot >> 8), (uint8_t) slot };

  *plan = (DnNetworkPlan){ .slot = slot, .uid = DN_NETWORK_UID_FIRST + slot };
  dn_network_tap_name (slot, plan->tap);
  memcpy (plan->host_mac, mac, sizeof mac);
}

int
dn_pod_tap_make (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer)
{
  DnNetworkPlan plan;
  int fd, r;

  dn_pod_plan (slot, &plan);
  /* Of an earlier guest with this slot, whose end nobody saw. */
  r = dn_link_remove (&network->links, plan.tap, answer);
  if (r < 0)
    return r;
  fd = dn_link_make_tap (&plan, answer);
  if (fd < 0)
    return fd;
  r = dn_link_keep (fd, &plan, answer);
  (void) close (fd);
  return r;
}

static int
change_link (DnNetwork *network, const char *tap, struct rtnl_link *changes)
{
  struct rtnl_link *link = rtnl_link_alloc ();
  int r = -NLE_NOMEM;

  if (link != NULL && changes != NULL)
    {
      rtnl_link_set_ifindex (link, (int) if_nametoindex (tap));
      r = rtnl_link_change (network->links.socket, link, changes, 0);
    }
  rtnl_link_put (link);
  rtnl_link_put (changes);
  return r;
}

int
dn_pod_tap_move (DnNetwork *network, uint32_t slot, int netns_fd, DnGatewayAnswer *answer)
{
  struct rtnl_link *link, *changes;
  char tap[DN_NETWORK_TAP_BYTES];
  bool is_up;
  int r;

  dn_network_tap_name (slot, tap);
  if (rtnl_link_get_kernel (network->links.socket, 0, tap, &link) != 0)
    return 0;
  is_up = (rtnl_link_get_flags (link) & IFF_UP) != 0;
  rtnl_link_put (link);
  /* Somebody has it in this network, as a guest without a pod. */
  if (is_up)
    return dn_fault (answer, -EBUSY, "tap '%s' is up on the host\nsee what has raised it", tap);
  changes = rtnl_link_alloc ();
  if (changes != NULL)
    rtnl_link_set_ns_fd (changes, netns_fd);
  r = change_link (network, tap, changes);
  return r == 0 ? 0
                : dn_fault (answer, -EIO, "tap '%s': into the pod's network namespace: %s", tap,
                            nl_geterror (r));
}

int
dn_pod_look (DnNetwork *network, DnGatewayAnswer *answer)
{
  static const uint8_t nobody[DN_NETWORK_MAC_BYTES];
  static DnPodFacts facts;
  int r = dn_pod_facts_read (&network->links, &facts, answer);

  if (r == 0)
    r = dn_pod_find_unfit (network, &facts, answer);
  return r == 0 ? dn_pod_facts_tell (&facts, nobody, answer) : r;
}

/* The loopback's, which alone has them: a frame that comes from the tap to 127.0.0.1 has no route
 * of its sender with it, and its source is an address of this kernel's.  The tap's: nothing of the
 * host's own is said through it, no address, no solicitation. */
const DnPodSetting dn_pod_settings[DN_POD_SETTINGS] = {
  { 4, "lo", "route_localnet", 1 },
  { 4, "lo", "accept_local", 1 },
  { 6, NULL, "addr_gen_mode", 1 },
  { 6, NULL, "accept_ra", 0 },
};

static int
set_all (DnNetwork *network, const char *tap, DnGatewayAnswer *answer)
{
  for (size_t i = 0; i < DN_POD_SETTINGS; i++)
    {
      const DnPodSetting *setting = &dn_pod_settings[i];
      const char *device = setting->device != NULL ? setting->device : tap;
      int r = setting->family == 6 && !network->has_ipv6
                  ? 0
                  : dn_sysctl_write_device (setting->family, device, setting->name, setting->value);

      if (r < 0 && (r != -ENOENT || setting->family == 4))
        return dn_fault (answer, r, "setting %s of '%s' in the pod: %s", setting->name, device,
                         strerror (-r));
    }
  return 0;
}

static int
reset_loopback (DnGatewayAnswer *answer)
{
  for (size_t i = 0; i < DN_POD_SETTINGS; i++)
    {
      const DnPodSetting *setting = &dn_pod_settings[i];
      int r = setting->device == NULL
                  ? 0
                  : dn_sysctl_write_device (setting->family, setting->device, setting->name, 0);

      if (r < 0)
        return dn_fault (answer, r, "the pod's loopback: %s back: %s", setting->name,
                         strerror (-r));
    }
  return 0;
}

/* Where the guest is, for what goes to it from the loopback. */
static int
add_neighbour (DnNetwork *network, const char *tap, const DnPodFacts *facts, uint8_t family)
{
  const DnPodRecord *own = dn_pod_own_address (facts, family);
  struct rtnl_neigh *wish;
  struct nl_addr *to, *mac;
  int r = -NLE_NOMEM;

  if (own == NULL)
    return 0;
  wish = rtnl_neigh_alloc ();
  to = nl_addr_build (family == 4 ? AF_INET : AF_INET6, own->address, family == 4 ? 4 : 16);
  mac = nl_addr_build (AF_LLC, facts->mac, sizeof facts->mac);
  if (wish != NULL && to != NULL && mac != NULL)
    {
      rtnl_neigh_set_ifindex (wish, (int) if_nametoindex (tap));
      rtnl_neigh_set_dst (wish, to);
      rtnl_neigh_set_lladdr (wish, mac);
      rtnl_neigh_set_state (wish, NUD_PERMANENT);
      r = rtnl_neigh_add (network->links.socket, wish, NLM_F_CREATE | NLM_F_REPLACE);
    }
  rtnl_neigh_put (wish);
  nl_addr_put (to);
  nl_addr_put (mac);
  return r;
}

static int
raise_tap (DnNetwork *network, const char *tap, const DnPodFacts *facts, DnGatewayAnswer *answer)
{
  struct rtnl_link *changes = rtnl_link_alloc ();
  int r;

  if (changes != NULL)
    {
      rtnl_link_set_mtu (changes, facts->mtu);
      rtnl_link_set_flags (changes, IFF_UP);
    }
  r = change_link (network, tap, changes);
  if (r == 0)
    r = add_neighbour (network, tap, facts, 4);
  if (r == 0 && network->has_ipv6)
    r = add_neighbour (network, tap, facts, 6);
  return r == 0 ? 0 : dn_fault (answer, -EIO, "tap '%s' in the pod: %s", tap, nl_geterror (r));
}

int
dn_pod_join (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer)
{
  static DnPodFacts facts;
  DnNetworkPlan plan;
  int r;

  dn_pod_plan (slot, &plan);
  if (!dn_link_exists (plan.tap))
    return dn_fault (answer, -ENODEV, "tap '%s' is not there\nits guest has ended", plan.tap);
  r = dn_pod_facts_read (&network->links, &facts, answer);
  if (r == 0)
    r = set_all (network, plan.tap, answer);
  if (r < 0)
    return r;
  dn_pod_rules_write (network->nft.text, &facts, plan.tap);
  r = dn_nft_commit (&network->nft, "rules of the pod", answer);
  if (r == 0)
    r = raise_tap (network, plan.tap, &facts, answer);
  return r == 0 ? dn_pod_facts_tell (&facts, plan.host_mac, answer) : r;
}

int
dn_pod_leave (DnNetwork *network, uint32_t slot, DnGatewayAnswer *answer)
{
  char tap[DN_NETWORK_TAP_BYTES];
  int r;

  dn_network_tap_name (slot, tap);
  r = dn_link_remove (&network->links, tap, answer);
  if (r < 0)
    return r;
  dn_pod_rules_write_removal (network->nft.text, DN_POD_TABLE);
  r = dn_nft_commit (&network->nft, "rules of the pod: remove", answer);
  return r == 0 ? reset_loopback (answer) : r;
}
