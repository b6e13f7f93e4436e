/* SPDX-License-Identifier: Apache-2.0 */
/* Of link.h: cards of pods, which are as somebody else has made them. */
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "link.h"

#define PUT (NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)

void
dn_link_move (DnNetlinkBatch *batch, int index, int netns_fd, const char *name)
{
  const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index };

  dn_netlink_begin (batch, RTM_SETLINK, NLM_F_ACK, &header, sizeof header);
  dn_netlink_put_u32 (batch, IFLA_NET_NS_FD, (uint32_t) netns_fd);
  dn_netlink_put_text (batch, IFLA_IFNAME, name);
}

void
dn_link_set_mac (DnNetlinkBatch *batch, int index, const uint8_t mac[DN_MAC_BYTES])
{
  const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index };

  dn_netlink_begin (batch, RTM_SETLINK, NLM_F_ACK, &header, sizeof header);
  dn_netlink_put (batch, IFLA_ADDRESS, mac, DN_MAC_BYTES);
}

void
dn_link_add_local (DnNetlinkBatch *batch, int index, const DnLinkAddress *to, uint32_t metric)
{
  const size_t size = dn_link_address_bytes (to);
  const struct rtmsg header = { .rtm_family = (uint8_t) to->family,
                                .rtm_dst_len = (uint8_t) (size * 8),
                                .rtm_table = RT_TABLE_LOCAL,
                                .rtm_protocol = RTPROT_STATIC,
                                .rtm_type = RTN_LOCAL,
                                .rtm_scope = RT_SCOPE_HOST };

  dn_netlink_begin (batch, RTM_NEWROUTE, PUT, &header, sizeof header);
  dn_netlink_put (batch, RTA_DST, to->bytes, size);
  dn_netlink_put_u32 (batch, RTA_PRIORITY, metric);
  dn_netlink_put_u32 (batch, RTA_OIF, (uint32_t) index);
}

static uint8_t
family_of (const DnPodRecord *record)
{
  return record->family == 4 ? AF_INET : AF_INET6;
}

static size_t
bytes_of (const DnPodRecord *record)
{
  return record->family == 4 ? DN_IPV4_BYTES : DN_ADDRESS_BYTES;
}

static void
add_address (DnNetlinkBatch *batch, int index, const DnPodRecord *record)
{
  const struct ifaddrmsg header = { .ifa_family = family_of (record),
                                    .ifa_prefixlen = record->bits,
                                    .ifa_scope = RT_SCOPE_UNIVERSE,
                                    .ifa_index = (uint32_t) index };

  dn_netlink_begin (batch, RTM_NEWADDR, PUT, &header, sizeof header);
  dn_netlink_put (batch, IFA_LOCAL, record->address, bytes_of (record));
  dn_netlink_put (batch, IFA_ADDRESS, record->address, bytes_of (record));
  /* Routes come by themselves, as they are where the card comes from. */
  dn_netlink_put_u32 (batch, IFA_FLAGS, IFA_F_PERMANENT | IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
}

static void
add_route (DnNetlinkBatch *batch, int index, const DnPodRecord *record)
{
  const bool has_via = !dn_pod_record_is_empty (record->via);
  const bool is_link
      = record->family == 4 && (!has_via || (record->flags & DN_POD_ROUTE_LINK) != 0);
  const struct rtmsg header = {
    .rtm_family = family_of (record),
    .rtm_dst_len = record->bits,
    .rtm_table = RT_TABLE_MAIN,
    .rtm_protocol = RTPROT_STATIC,
    .rtm_type = RTN_UNICAST,
    .rtm_scope = is_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
    .rtm_flags = (record->flags & DN_POD_ROUTE_ONLINK) != 0 ? RTNH_F_ONLINK : 0,
  };

  dn_netlink_begin (batch, RTM_NEWROUTE, PUT, &header, sizeof header);
  if (record->bits > 0)
    dn_netlink_put (batch, RTA_DST, record->address, bytes_of (record));
  if (has_via)
    dn_netlink_put (batch, RTA_GATEWAY, record->via, bytes_of (record));
  if (!dn_pod_record_is_empty (record->source))
    dn_netlink_put (batch, RTA_PREFSRC, record->source, bytes_of (record));
  if (record->metric != 0)
    dn_netlink_put_u32 (batch, RTA_PRIORITY, record->metric);
  dn_netlink_put_u32 (batch, RTA_OIF, (uint32_t) index);
}

void
dn_link_add_record (DnNetlinkBatch *batch, int index, const DnPodRecord *record)
{
  DnLinkAddress address = { .family = family_of (record) };

  switch ((DnPodRecordKind) record->kind)
    {
    case DN_POD_ADDRESS:
      add_address (batch, index, record);
      break;
    case DN_POD_ROUTE:
      add_route (batch, index, record);
      break;
    case DN_POD_NEIGHBOUR:
      memcpy (address.bytes, record->address, sizeof address.bytes);
      dn_link_add_neighbour (batch, index, &address, record->via);
      break;
    }
}
