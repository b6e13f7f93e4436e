/* SPDX-License-Identifier: Apache-2.0 */
#include "guest-card.h"

#include <string.h>

#include "../daemon/container-call.h"

static void
copy_ipv4 (struct in_addr address, guint8 ret_bytes[DN_IPV4_BYTES])
{
  memcpy (ret_bytes, &address, DN_IPV4_BYTES);
}

static void
copy_ipv6 (struct in6_addr address, guint8 ret_bytes[DN_ADDRESS_BYTES])
{
  memcpy (ret_bytes, &address, DN_ADDRESS_BYTES);
}

gboolean
dn_guest_card_set_up (DnGuest *guest, const DnNetworkPlan *plan, const DnNetworkPolicy *policy,
                      GError **error)
{
  const DnNetworkMode mode = dn_network_mode (policy->mode);
  DnMsgNetwork message = { 0 };

  if (policy->containers)
    message.flags |= DN_NETWORK_CONTAINERS;
  if (dn_network_policy_has_card (policy))
    {
      message.flags |= DN_NETWORK_CARD;
      memcpy (message.mac, plan->guest_mac, sizeof message.mac);
      memcpy (message.gateway_mac, plan->host_mac, sizeof message.gateway_mac);
      copy_ipv4 (plan->guest4, message.ipv4);
      copy_ipv4 (plan->gateway4, message.gateway_ipv4);
      copy_ipv6 (plan->guest6, message.ipv6);
      copy_ipv6 (plan->gateway6, message.gateway_ipv6);
      message.mtu = DN_NETWORK_MTU;
    }
  /* What is outside decides more closely what they reach; those of `internal` begin nothing. */
  if (mode == DN_NETWORK_EGRESS || mode == DN_NETWORK_NAMED)
    message.flags |= DN_NETWORK_OUTGOING;
  return dn_container_call (guest, DN_MSG_NETWORK, &message, (DnPackFunc) dn_msg_network_pack,
                            DN_CALL_TIMEOUT_MS, error);
}

gboolean
dn_guest_card_add (DnGuest *guest, const DnNetworkMember *member, GError **error)
{
  guint8 ports[DN_CARD_PORTS_MAX * DN_CARD_PORT_BYTES];
  DnMsgCard message = { .mtu = DN_NETWORK_MTU, .ports = ports };

  g_strlcpy (message.container, member->container, sizeof message.container);
  copy_ipv4 (member->address4, message.ipv4);
  copy_ipv4 (member->plan.gateway4, message.gateway_ipv4);
  copy_ipv6 (member->address6, message.ipv6);
  copy_ipv6 (member->plan.gateway6, message.gateway_ipv6);
  /* Where nothing is outside, there is no way there either: a program hears so at once. */
  if (!member->has_card)
    {
      message.reach_ipv4 = DN_NETWORK_BLOCK4_BITS;
      message.reach_ipv6 = DN_NETWORK_BLOCK6_BITS;
    }
  message.ports_bytes = (guint32) dn_card_ports_encode (member->ports, member->port_count, ports);
  return dn_container_call (guest, DN_MSG_CARD, &message, (DnPackFunc) dn_msg_card_pack,
                            DN_CALL_TIMEOUT_MS, error);
}

gboolean
dn_guest_card_write (DnGuest *guest, const char *container, DnCardFile kind, const char *text,
                     GError **error)
{
  DnMsgCardFile message = { .kind = (guint8) kind,
                            .text = (const guint8 *) text,
                            .text_bytes = (guint32) strlen (text) };

  g_strlcpy (message.container, container, sizeof message.container);
  return dn_container_call (guest, DN_MSG_CARD_FILE, &message, (DnPackFunc) dn_msg_card_file_pack,
                            DN_CALL_TIMEOUT_MS, error);
}
