/* SPDX-License-Identifier: Apache-2.0 */
#include "rules-parts.h"

/* Addresses that a guest has: its own and its containers'. */
typedef struct
{
  char four[4 * INET6_ADDRSTRLEN];
  char six[4 * INET6_ADDRSTRLEN];
} Sources;

static Sources
find_sources (const DnNetworkPlan *plan)
{
  struct in_addr first4, last4;
  struct in6_addr first6, last6;
  Sources sources;

  (void) dn_network_plan_container (plan, 0, &first4, &first6);
  (void) dn_network_plan_container (plan, DN_NETWORK_CONTAINERS_MAX - 1, &last4, &last6);
  (void) snprintf (sources.four, sizeof sources.four, "{ %s, %s-%s }", TEXT4 (plan->guest4),
                   TEXT4 (first4), TEXT4 (last4));
  (void) snprintf (sources.six, sizeof sources.six, "{ %s, %s-%s }", TEXT6 (plan->guest6),
                   TEXT6 (first6), TEXT6 (last6));
  return sources;
}

/* More than @kbit is dropped.  A second's worth may come at once, and two of the largest pieces
 * that a card hands over. */
#define BURST_BYTES 131072u

static void
write_limit (FILE *text, const char *chain, uint32_t kbit)
{
  uint64_t bytes = (uint64_t) kbit * 125;

  if (kbit != 0)
    fprintf (text, "add rule %s limit rate over %llu bytes/second burst %u bytes drop\n", chain,
             (unsigned long long) bytes, BURST_BYTES);
}

static void
write_arp (FILE *text, const char *in, const DnNetworkPlan *plan, const char *guest_mac,
           const char *host_mac)
{
  fprintf (text,
           "add rule %s ether type arp ether daddr { %s, ff:ff:ff:ff:ff:ff } arp htype 1 "
           "arp ptype ip arp hlen 6 arp plen 4 arp operation { request, reply } arp saddr ether %s "
           "arp saddr ip %s arp daddr ip %s limit rate 100/second burst 100 packets accept\n",
           in, host_mac, guest_mac, TEXT4 (plan->guest4), TEXT4 (plan->gateway4));
}

/* The target of a solicitation or advertisement, at byte 8: nft knows no name for it before 1.0.8.
 */
static DnRulesAddress
target_number (const struct in6_addr *address)
{
  DnRulesAddress number = { "0x" };

  for (size_t i = 0; i < sizeof address->s6_addr; i++)
    (void) snprintf (number.text + 2 + 2 * i, 3, "%02x", address->s6_addr[i]);
  return number;
}

/* The host has permanent entries for the guest, so nothing here changes where it sends anything. */
static void
write_neighbour_discovery (FILE *text, const char *in, const DnNetworkPlan *plan,
                           const char *host_mac)
{
  const uint8_t *gateway = plan->gateway6.s6_addr;
  char solicited_mac[DN_NETWORK_MAC_TEXT_BYTES], solicited[INET6_ADDRSTRLEN];

  (void) snprintf (solicited_mac, sizeof solicited_mac, "33:33:ff:%02x:%02x:%02x", gateway[13],
                   gateway[14], gateway[15]);
  (void) snprintf (solicited, sizeof solicited, "ff02::1:ff%02x:%x", gateway[13],
                   gateway[14] << 8 | gateway[15]);
  fprintf (text,
           "add rule %s ip6 nexthdr icmpv6 icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 ether "
           "daddr { %s, %s } "
           "ip6 daddr { %s, %s } @th,64,128 %s limit rate 100/second burst 100 packets accept\n",
           in, host_mac, solicited_mac, TEXT6 (plan->gateway6), solicited,
           target_number (&plan->gateway6).text);
  fprintf (text,
           "add rule %s ip6 nexthdr icmpv6 icmpv6 type nd-neighbor-advert ip6 hoplimit 255 ether "
           "daddr %s "
           "ip6 saddr %s ip6 daddr %s @th,64,128 %s limit rate 100/second burst 100 packets "
           "accept\n",
           in, host_mac, TEXT6 (plan->guest6), TEXT6 (plan->gateway6),
           target_number (&plan->guest6).text);
}

/* An `ether type` looks at the frame as the guest wrote it, before a VLAN's tag is taken off. */
void
dn_rules_write_frames_in (FILE *text, const char *in, const DnGatewayGuest *guest,
                          const DnNetworkPlan *plan)
{
  char guest_mac[DN_NETWORK_MAC_TEXT_BYTES], host_mac[DN_NETWORK_MAC_TEXT_BYTES];
  Sources sources = find_sources (plan);

  dn_network_mac_format (plan->guest_mac, guest_mac);
  dn_network_mac_format (plan->host_mac, host_mac);
  write_limit (text, in, guest->egress_kbit);
  fprintf (text, "add rule %s ether saddr != %s drop\n", in, guest_mac);
  fprintf (text, "add rule %s ether type != { ip, ip6, arp } drop\n", in);
  write_arp (text, in, plan, guest_mac, host_mac);
  fprintf (text, "add rule %s ether type ip6 ip6 version != 6 drop\n", in);
  fprintf (text, "add rule %s ether type ip6 ip6 saddr != %s drop\n", in, sources.six);
  write_neighbour_discovery (text, in, plan, host_mac);
  fprintf (text,
           "add rule %1$s ether daddr != %2$s drop\n"
           "add rule %1$s ether type ip ip version != 4 drop\n"
           "add rule %1$s ether type ip ip hdrlength != 5 drop\n"
           "add rule %1$s ether type ip ip frag-off & 0xbfff != 0 drop\n"
           "add rule %1$s ether type ip ip saddr != %3$s drop\n"
           "add rule %1$s ether type ip ip protocol tcp accept\n"
           "add rule %1$s ether type ip ip protocol udp udp sport != { 67, 68 } "
           "udp dport != { 67, 68 } accept\n"
           "add rule %1$s ether type ip ip protocol icmp icmp type { echo-reply, "
           "destination-unreachable, echo-request, time-exceeded, parameter-problem } accept\n"
           "add rule %1$s ether type ip6 ip6 nexthdr tcp accept\n"
           "add rule %1$s ether type ip6 ip6 nexthdr udp udp sport != { 546, 547 } "
           "udp dport != { 546, 547 } accept\n"
           "add rule %1$s ether type ip6 ip6 nexthdr icmpv6 icmpv6 type { destination-unreachable, "
           "packet-too-big, time-exceeded, parameter-problem, echo-request, echo-reply } accept\n",
           in, host_mac, sources.four);
}

void
dn_rules_write_frames_out (FILE *text, const char *out, const DnGatewayGuest *guest,
                           const DnNetworkPlan *plan)
{
  Sources sources = find_sources (plan);

  write_limit (text, out, guest->ingress_kbit);
  fprintf (text,
           "add rule %1$s ether type ip ip daddr %2$s accept\n"
           "add rule %1$s ether type ip6 ip6 daddr %3$s accept\n"
           "add rule %1$s ether type arp arp daddr ip %4$s accept\n",
           out, sources.four, sources.six, TEXT4 (plan->guest4));
}
