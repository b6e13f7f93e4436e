/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>

#include "autofd.h"

#define MAKE (NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)
/* What is there already is made anew: a host may say the same twice. */
#define PUT (NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)

DnLinkAddress
dn_link_ipv4 (const uint8_t bytes[DN_IPV4_BYTES])
{
  DnLinkAddress address = { .family = AF_INET };

  memcpy (address.bytes, bytes, DN_IPV4_BYTES);
  return address;
}

DnLinkAddress
dn_link_ipv6 (const uint8_t bytes[DN_ADDRESS_BYTES])
{
  DnLinkAddress address = { .family = AF_INET6 };

  memcpy (address.bytes, bytes, DN_ADDRESS_BYTES);
  return address;
}

size_t
dn_link_address_bytes (const DnLinkAddress *address)
{
  return address->family == AF_INET ? DN_IPV4_BYTES : DN_ADDRESS_BYTES;
}

static void
put_card (DnNetlinkBatch *batch, const char *name, const uint8_t mac[DN_MAC_BYTES], uint16_t mtu)
{
  dn_netlink_put_text (batch, IFLA_IFNAME, name);
  dn_netlink_put (batch, IFLA_ADDRESS, mac, DN_MAC_BYTES);
  dn_netlink_put_u32 (batch, IFLA_MTU, mtu);
  /* One queue, and not one for each processor that the machine might have. */
  dn_netlink_put_u32 (batch, IFLA_NUM_TX_QUEUES, 1);
  dn_netlink_put_u32 (batch, IFLA_NUM_RX_QUEUES, 1);
}

void
dn_link_add_pair (DnNetlinkBatch *batch, const DnLinkPair *pair)
{
  const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
  size_t info, data, peer;

  dn_netlink_begin (batch, RTM_NEWLINK, MAKE, &header, sizeof header);
  put_card (batch, pair->name, pair->mac, pair->mtu);
  info = dn_netlink_nest (batch, IFLA_LINKINFO);
  dn_netlink_put_text (batch, IFLA_INFO_KIND, "veth");
  data = dn_netlink_nest (batch, IFLA_INFO_DATA);
  peer = dn_netlink_nest (batch, VETH_INFO_PEER);
  dn_netlink_append (batch, &header, sizeof header);
  put_card (batch, DN_LINK_PEER, pair->peer_mac, pair->mtu);
  dn_netlink_put_u32 (batch, IFLA_NET_NS_PID, (uint32_t) pair->pid);
  dn_netlink_end (batch, peer);
  dn_netlink_end (batch, data);
  dn_netlink_end (batch, info);
}

void
dn_link_remove (DnNetlinkBatch *batch, const char *name)
{
  const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };

  dn_netlink_begin (batch, RTM_DELLINK, NLM_F_ACK, &header, sizeof header);
  dn_netlink_put_text (batch, IFLA_IFNAME, name);
}

void
dn_link_add_no_addresses (DnNetlinkBatch *batch, int index)
{
  const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index };
  size_t families, family;

  dn_netlink_begin (batch, RTM_SETLINK, NLM_F_ACK, &header, sizeof header);
  families = dn_netlink_nest (batch, IFLA_AF_SPEC);
  family = dn_netlink_nest (batch, AF_INET6);
  dn_netlink_put_u8 (batch, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  dn_netlink_end (batch, family);
  dn_netlink_end (batch, families);
}

void
dn_link_set (DnNetlinkBatch *batch, int index, unsigned flags, uint16_t mtu)
{
  const struct ifinfomsg header
      = { .ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = flags, .ifi_change = flags };

  dn_netlink_begin (batch, RTM_SETLINK, NLM_F_ACK, &header, sizeof header);
  if (mtu != 0)
    dn_netlink_put_u32 (batch, IFLA_MTU, mtu);
}

void
dn_link_add_address (DnNetlinkBatch *batch, int index, const DnLinkAddress *address)
{
  const size_t size = dn_link_address_bytes (address);
  const struct ifaddrmsg header = { .ifa_family = address->family,
                                    .ifa_prefixlen = (uint8_t) (size * 8),
                                    .ifa_flags = IFA_F_PERMANENT | IFA_F_NODAD,
                                    .ifa_scope = RT_SCOPE_UNIVERSE,
                                    .ifa_index = (uint32_t) index };

  dn_netlink_begin (batch, RTM_NEWADDR, PUT, &header, sizeof header);
  dn_netlink_put (batch, IFA_LOCAL, address->bytes, size);
  dn_netlink_put (batch, IFA_ADDRESS, address->bytes, size);
}

static void
begin_route (DnNetlinkBatch *batch, uint8_t family, unsigned bits, uint8_t scope)
{
  const struct rtmsg header = { .rtm_family = family,
                                .rtm_dst_len = (uint8_t) bits,
                                .rtm_table = RT_TABLE_MAIN,
                                .rtm_protocol = RTPROT_STATIC,
                                .rtm_type = RTN_UNICAST,
                                .rtm_scope = scope };

  dn_netlink_begin (batch, RTM_NEWROUTE, PUT, &header, sizeof header);
}

void
dn_link_add_route (DnNetlinkBatch *batch, int index, const DnLinkAddress *to)
{
  const size_t size = dn_link_address_bytes (to);

  begin_route (batch, to->family, (unsigned) size * 8,
               to->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
  dn_netlink_put (batch, RTA_DST, to->bytes, size);
  dn_netlink_put_u32 (batch, RTA_OIF, (uint32_t) index);
}

void
dn_link_add_way (DnNetlinkBatch *batch, int index, const DnLinkAddress *gateway, unsigned bits)
{
  const size_t size = dn_link_address_bytes (gateway);
  uint8_t prefix[DN_ADDRESS_BYTES] = { 0 };

  for (unsigned i = 0; i < bits; i++)
    prefix[i / 8] |= (uint8_t) (gateway->bytes[i / 8] & 0x80u >> i % 8);
  begin_route (batch, gateway->family, bits, RT_SCOPE_UNIVERSE);
  if (bits > 0)
    dn_netlink_put (batch, RTA_DST, prefix, size);
  dn_netlink_put (batch, RTA_GATEWAY, gateway->bytes, size);
  dn_netlink_put_u32 (batch, RTA_OIF, (uint32_t) index);
}

void
dn_link_add_neighbour (DnNetlinkBatch *batch, int index, const DnLinkAddress *address,
                       const uint8_t mac[DN_MAC_BYTES])
{
  const struct ndmsg header
      = { .ndm_family = address->family, .ndm_ifindex = index, .ndm_state = NUD_PERMANENT };

  dn_netlink_begin (batch, RTM_NEWNEIGH, PUT, &header, sizeof header);
  dn_netlink_put (batch, NDA_DST, address->bytes, dn_link_address_bytes (address));
  dn_netlink_put (batch, NDA_LLADDR, mac, DN_MAC_BYTES);
}

typedef struct
{
  const uint8_t *mac;
  int index;
  char name[IF_NAMESIZE];
} Search;

static void
take_link (const struct nlmsghdr *message, void *data)
{
  Search *search = data;
  const struct ifinfomsg *header = NLMSG_DATA (message);
  const uint8_t *attributes = (const uint8_t *) header + NLMSG_ALIGN (sizeof *header);
  const size_t size = message->nlmsg_len - NLMSG_LENGTH (sizeof *header);
  const struct nlattr *mac, *name;

  if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH (sizeof *header))
    return;
  mac = dn_netlink_find (attributes, size, IFLA_ADDRESS);
  name = dn_netlink_find (attributes, size, IFLA_IFNAME);
  if (mac == NULL || name == NULL || dn_netlink_size (mac) != DN_MAC_BYTES
      || dn_netlink_size (name) > IF_NAMESIZE
      || memcmp (dn_netlink_value (mac), search->mac, DN_MAC_BYTES) != 0)
    return;
  search->index = header->ifi_index;
  memcpy (search->name, dn_netlink_value (name), dn_netlink_size (name));
}

int
dn_link_find_mac (const uint8_t mac[DN_MAC_BYTES], char ret_name[IF_NAMESIZE])
{
  static DnNetlinkBatch batch;
  const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
  Search search = { .mac = mac };
  dn_autofd int fd = dn_netlink_open (NETLINK_ROUTE);

  if (fd < 0)
    return 0;
  dn_netlink_clear (&batch);
  dn_netlink_begin (&batch, RTM_GETLINK, NLM_F_DUMP, &header, sizeof header);
  if (dn_netlink_dump (fd, &batch, take_link, &search) < 0)
    return 0;
  memcpy (ret_name, search.name, IF_NAMESIZE);
  return search.index;
}
