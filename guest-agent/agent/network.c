/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "autofd.h"
#include "firewall.h"
#include "link.h"

typedef struct
{
  const char *name;
  const char *value;
} Setting;

/* Of all cards, those to come among them. */
static const Setting settings[] = {
  /* Nobody tells this router where to go, and it tells nobody. */
  { "net/ipv4/conf/all/accept_redirects", "0" },
  { "net/ipv4/conf/default/accept_redirects", "0" },
  { "net/ipv6/conf/all/accept_redirects", "0" },
  { "net/ipv6/conf/default/accept_redirects", "0" },
  { "net/ipv4/conf/all/send_redirects", "0" },
  { "net/ipv4/conf/default/send_redirects", "0" },
  { "net/ipv4/conf/all/accept_source_route", "0" },
  { "net/ipv6/conf/all/accept_ra", "0" },
  { "net/ipv6/conf/default/accept_ra", "0" },
  /* A source address has its route where it came from; the table says the same, more strictly. */
  { "net/ipv4/conf/all/rp_filter", "1" },
  { "net/ipv4/conf/default/rp_filter", "1" },
  /* A card answers for its own address only. */
  { "net/ipv4/conf/all/arp_ignore", "1" },
};

/* Last: the table stands. */
static const Setting forwarding[] = {
  { "net/ipv4/ip_forward", "1" },
  { "net/ipv6/conf/all/forwarding", "1" },
};

int
dn_network_set (const char *name, const char *value)
{
  char path[96];
  dn_autofd int fd = -1;

  (void) snprintf (path, sizeof path, "/proc/sys/%s", name);
  fd = open (path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return 0;
  return fd < 0 || write (fd, value, strlen (value)) < 0 ? -errno : 0;
}

static int
apply_settings (const Setting *list, size_t count, DnFault *fault)
{
  for (size_t i = 0; i < count; i++)
    {
      int r = dn_network_set (list[i].name, list[i].value);

      if (r < 0)
        return dn_fault_set (fault, r == -ENOENT ? -EIO : r, "network: set '%s': %s", list[i].name,
                             strerror (-r));
    }
  return 0;
}

static int
bring_card_up (int index, const DnMsgNetwork *message, DnFault *fault)
{
  static DnNetlinkBatch batch;
  const DnLinkAddress own[] = { dn_link_ipv4 (message->ipv4), dn_link_ipv6 (message->ipv6) };
  const DnLinkAddress gateways[]
      = { dn_link_ipv4 (message->gateway_ipv4), dn_link_ipv6 (message->gateway_ipv6) };
  dn_autofd int fd = dn_netlink_open (NETLINK_ROUTE);
  int r;

  dn_netlink_clear (&batch);
  dn_link_add_no_addresses (&batch, index);
  dn_link_set (&batch, index, IFF_UP, message->mtu);
  for (size_t i = 0; i < 2; i++)
    {
      dn_link_add_address (&batch, index, &own[i]);
      dn_link_add_neighbour (&batch, index, &gateways[i], message->gateway_mac);
      dn_link_add_route (&batch, index, &gateways[i]);
      dn_link_add_way (&batch, index, &gateways[i], 0);
    }
  r = fd < 0 ? fd : dn_netlink_talk (fd, &batch);
  return r < 0 ? dn_fault_set (fault, r == -ENOENT ? -EIO : r, "network: the guest's card: %s",
                               strerror (-r))
               : 0;
}

int
dn_network_apply (DnNetwork *network, const DnMsgNetwork *message, DnFault *fault)
{
  char card[IF_NAMESIZE] = "";
  int index = 0;
  int r;

  if ((message->flags & DN_NETWORK_CARD) != 0)
    {
      index = dn_link_find_mac (message->mac, card);
      if (index == 0)
        return dn_fault_set (fault, -ENODEV, "network: the guest has no card with that address");
    }
  if ((r = apply_settings (settings, sizeof settings / sizeof settings[0], fault)) < 0
      || (r = dn_firewall_open (message->flags, index != 0 ? card : NULL, fault)) < 0
      || (index != 0 && (r = bring_card_up (index, message, fault)) < 0)
      || (r = apply_settings (forwarding, sizeof forwarding / sizeof forwarding[0], fault)) < 0)
    return r;
  network->is_up = true;
  network->flags = message->flags;
  memcpy (network->card, card, sizeof card);
  return 0;
}
