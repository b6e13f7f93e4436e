/* SPDX-License-Identifier: Apache-2.0 */
/* The container's end of its card: addresses, neighbours and routes. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "autofd.h"
#include "card.h"
#include "link.h"

int
dn_card_set_up_inside (const DnCard *card, DnFault *fault)
{
  static DnNetlinkBatch batch;
  const DnLinkAddress own[]
      = { dn_link_ipv4 (card->firewall.ipv4), dn_link_ipv6 (card->firewall.ipv6) };
  const DnLinkAddress gateways[]
      = { dn_link_ipv4 (card->gateway_ipv4), dn_link_ipv6 (card->gateway_ipv6) };
  dn_autofd int fd = dn_netlink_open (NETLINK_ROUTE);
  int index = (int) if_nametoindex (DN_LINK_PEER);
  int r;

  if (index == 0)
    return dn_fault_set_errno (fault, "card: find it in the container");
  /* Nobody here is a router that could say anything. */
  if ((r = dn_network_set ("net/ipv6/conf/" DN_LINK_PEER "/accept_ra", "0")) < 0)
    return dn_fault_set (fault, r, "card: refuse routers' messages: %s", strerror (-r));
  dn_netlink_clear (&batch);
  dn_link_add_no_addresses (&batch, index);
  dn_link_set (&batch, index, IFF_UP, 0);
  for (size_t i = 0; i < 2; i++)
    {
      dn_link_add_address (&batch, index, &own[i]);
      dn_link_add_neighbour (&batch, index, &gateways[i], dn_card_guest_mac);
      dn_link_add_route (&batch, index, &gateways[i]);
      dn_link_add_way (&batch, index, &gateways[i], i == 0 ? card->reach_ipv4 : card->reach_ipv6);
    }
  r = fd < 0 ? fd : dn_netlink_talk (fd, &batch);
  return r < 0 ? dn_fault_set (fault, r == -ENOENT ? -EIO : r,
                               "card: addresses and routes in the container: %s", strerror (-r))
               : 0;
}
