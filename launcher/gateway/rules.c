/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <arpa/inet.h>

#include "../base/gateway-pin.h"
#include "../base/public-address.h"

/* Where types differ, cppcheck takes the first %N$ for the first argument in the text: suppressed.
 */
typedef struct
{
  char text[INET6_ADDRSTRLEN];
} Address;

static Address
address_text (uint8_t family, const void *address)
{
  Address to;

  (void) inet_ntop (family == 4 ? AF_INET : AF_INET6, address, to.text, sizeof to.text);
  return to;
}

#define TEXT4(address) (address_text (4, &(address)).text)
#define TEXT6(address) (address_text (6, &(address)).text)

static void
write_special_set (FILE *text, const char *table, const char *name, uint8_t family, bool is_never)
{
  const char *comma = "";

  fprintf (text,
           "add set inet %s %s%u { type ipv%u_addr; flags interval; auto-merge; }\n"
           "add element inet %s %s%u {",
           table, name, family, family, table, name, family);
  for (size_t i = 0; i < dn_special_range_count; i++)
    if (dn_special_ranges[i].family == family && dn_special_ranges[i].is_never == is_never)
      {
        fprintf (text, "%s %s", comma, dn_special_ranges[i].range);
        comma = ",";
      }
  fputs (" }\n", text);
}

/* Before those of other tables' filters (priority 0): what we refuse nobody else sees. */
static const struct
{
  const char *chain; /* and hook */
  const char *type;
  const char *priority;
} hooks[] = {
  { "prerouting", "filter", "raw" },  { "input", "filter", "-10" },
  { "forward", "filter", "-10" },     { "output", "filter", "-10" },
  { "postrouting", "nat", "srcnat" },
};

void
dn_rules_write_base (FILE *text, const char *table, bool is_twin, uint32_t sum)
{
  fprintf (text, "add table netdev %s\nadd table inet %s\n", table, table);
  fprintf (text, "add chain inet %s " DN_RULES_VERSION "\n", table);
  for (uint8_t family = 4; family <= 6; family += 2)
    {
      write_special_set (text, table, "never", family, true);
      write_special_set (text, table, "special", family, false);
      fprintf (text, "add set inet %s pool%u { type ipv%u_addr; flags interval; auto-merge; }\n",
               table, family, family);
    }
  /* cppcheck-suppress invalidPrintfArgType_s */
  fprintf (text,
           "add set inet %1$s taps { type ifname; }\n"
           "add set inet %1$s uids { type uid; }\n"
           "add map inet %1$s marks { type mark : verdict; }\n"
           "add set inet %1$s accept-ra { type ifname; }\n"
           "add map inet %1$s at { type ifname : verdict; }\n"
           "add map inet %1$s from { type ifname : verdict; }\n"
           "add map inet %1$s to { type ifname : verdict; }\n"
           "add map inet %1$s host { type ifname : verdict; }\n"
           "add map inet %1$s out { type ifname : verdict; }\n"
           "add chain inet %1$s refuse\n"
           "add rule inet %1$s refuse limit rate over 200/second burst 100 packets drop\n"
           "add rule inet %1$s refuse meta l4proto tcp reject with tcp reset\n"
           "add rule inet %1$s refuse reject with icmpx admin-prohibited\n"
           "add chain inet %1$s sum\n"
           "add rule inet %1$s sum ct count over %2$u drop\n",
           table, sum);
  fprintf (text,
           "add chain inet %1$s never\n"
           "add rule inet %1$s never ip daddr @never4 goto refuse\n"
           "add rule inet %1$s never ip6 daddr @never6 goto refuse\n"
           "add chain inet %1$s special\n"
           "add rule inet %1$s special ip daddr @special4 goto refuse\n"
           "add rule inet %1$s special ip6 daddr @special6 goto refuse\n"
           "add chain inet %1$s arriving\n"
           "add rule inet %1$s arriving icmpv6 type nd-neighbor-solicit return\n"
           "add rule inet %1$s arriving fib daddr type { local, broadcast, anycast, multicast } "
           "drop\n",
           table);
  fprintf (text,
           "add chain inet %1$s guard\n"
           "add chain inet %1$s uid\n"
           "add rule inet %1$s uid ct state established,related accept\n"
           "add rule inet %1$s uid drop\n",
           table);
  for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++)
    if (is_twin)
      fprintf (text, "add chain inet %s %s\n", table, hooks[i].chain);
    else
      fprintf (text, "add chain inet %s %s { type %s hook %s priority %s; policy accept; }\n",
               table, hooks[i].chain, hooks[i].type, hooks[i].chain, hooks[i].priority);
  /* cppcheck-suppress invalidPrintfArgType_s */
  fprintf (text,
           "add rule inet %1$s prerouting iifname vmap @at\n"
           "add rule inet %1$s input iifname vmap @host\n"
           "add rule inet %1$s forward iifname vmap @from\n"
           "add rule inet %1$s forward oifname vmap @to\n"
           "add rule inet %1$s forward jump guard\n"
           "add rule inet %1$s output meta mark %2$u goto uid\n"
           "add rule inet %1$s output meta mark vmap @marks\n"
           "add rule inet %1$s output oifname vmap @out\n"
           "add rule inet %1$s output meta skuid @uids jump uid\n"
           "add rule inet %1$s postrouting oifname @taps return\n"
           "add rule inet %1$s postrouting ip saddr @pool4 masquerade fully-random\n"
           "add rule inet %1$s postrouting ip6 saddr @pool6 masquerade fully-random\n",
           table, DN_RULES_MARK_ANSWERS);
}

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
static Address
target_number (const struct in6_addr *address)
{
  Address number = { "0x" };

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
static void
write_ingress (FILE *text, const char *in, const DnGatewayGuest *guest, const DnNetworkPlan *plan)
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

static void
write_egress (FILE *text, const char *out, const DnGatewayGuest *guest, const DnNetworkPlan *plan)
{
  Sources sources = find_sources (plan);

  write_limit (text, out, guest->ingress_kbit);
  fprintf (text,
           "add rule %1$s ether type ip ip daddr %2$s accept\n"
           "add rule %1$s ether type ip6 ip6 daddr %3$s accept\n"
           "add rule %1$s ether type arp arp daddr ip %4$s accept\n",
           out, sources.four, sources.six, TEXT4 (plan->guest4));
}

static void
write_lists (FILE *text, const char *table, const DnGatewayGuest *guest, const char *tap)
{
  for (uint32_t list = 1; list <= DN_GATEWAY_LISTS_MAX; list++)
    for (uint32_t i = 0; i < guest->rule_count; i++)
      if (guest->rules[i].list == list)
        {
          for (int family = 4; family <= 6; family += 2)
            fprintf (text,
                     "add set inet %s %s-list%u-%d { type ipv%d_addr; size %d; flags timeout; }\n",
                     table, tap, list, family, family, DN_GATEWAY_PIN_LIST_ADDRESSES);
          break;
        }
}

static void
write_ports (FILE *text, const DnGatewayRule *rule)
{
  bool has_ports = rule->port_first > 0 || rule->port_last < 65535;

  if (rule->protocol == IPPROTO_TCP)
    fputs (" meta l4proto tcp", text);
  else if (rule->protocol == IPPROTO_UDP)
    fputs (" meta l4proto udp", text);
  else if (has_ports)
    fputs (" meta l4proto { tcp, udp }", text);
  if (has_ports && rule->port_first == rule->port_last)
    fprintf (text, " th dport %u", rule->port_first);
  else if (has_ports)
    fprintf (text, " th dport %u-%u", rule->port_first, rule->port_last);
}

static void
write_rule (FILE *text, const char *chain, const char *tap, const DnGatewayRule *rule)
{
  const char *verdict = rule->is_allow ? "accept" : "goto refuse";

  if (rule->list == 0)
    {
      fprintf (text, "add rule %s ip%s daddr %s/%u", chain, rule->family == 4 ? "" : "6",
               address_text (rule->family, rule->address).text, rule->bits);
      write_ports (text, rule);
      fprintf (text, " %s\n", verdict);
      return;
    }
  for (int family = 4; family <= 6; family += 2)
    {
      fprintf (text, "add rule %s ip%s daddr @%s-list%u-%d", chain, family == 4 ? "" : "6", tap,
               rule->list, family);
      write_ports (text, rule);
      fprintf (text, " %s\n", verdict);
    }
}

/* Who opens a special range names it; what a list has is public, checked when it was pinned. */
static bool
opens_special (const DnGatewayRule *rule)
{
  return rule->is_allow && rule->list == 0
         && dn_range_is_special (rule->family, rule->address, rule->bits);
}

static void
write_from (FILE *text, const char *table, const DnGatewayGuest *guest, const char *tap)
{
  char chain[96];

  (void) snprintf (chain, sizeof chain, "inet %s from-%s", table, tap);
  fprintf (text,
           "add rule %1$s ct state established,related accept\n"
           "add rule %1$s ct state != new drop\n"
           "add rule %1$s oifname %2$s drop\n"
           "add rule %1$s jump new-%2$s\n"
           "add rule %1$s jump never\n",
           chain, tap);
  for (int family = 4; family <= 6; family += 2)
    if (guest->group != 0)
      fprintf (text, "add rule %s ip%s daddr @pool%d goto group-%u\n", chain,
               family == 4 ? "" : "6", family, guest->group);
    else
      fprintf (text, "add rule %s ip%s daddr @pool%d goto refuse\n", chain, family == 4 ? "" : "6",
               family);
  for (uint32_t i = 0; i < guest->rule_count; i++)
    if (!guest->rules[i].is_allow)
      write_rule (text, chain, tap, &guest->rules[i]);
  for (uint32_t i = 0; i < guest->rule_count; i++)
    if (opens_special (&guest->rules[i]))
      write_rule (text, chain, tap, &guest->rules[i]);
  fprintf (text, "add rule %s jump special\n", chain);
  for (uint32_t i = 0; i < guest->rule_count; i++)
    if (guest->rules[i].is_allow && !opens_special (&guest->rules[i]))
      write_rule (text, chain, tap, &guest->rules[i]);
  fprintf (text, "add rule %s %s\n", chain, guest->has_internet ? "accept" : "goto refuse");
}

static void
write_host (FILE *text, const char *table, const DnGatewayGuest *guest, const DnNetworkPlan *plan)
{
  uint32_t mark = DN_RULES_MARK | guest->slot;
  const char *tap = plan->tap;

  /* cppcheck-suppress invalidPrintfArgType_s */
  fprintf (text,
           "add rule inet %1$s at-%2$s ip daddr %5$s return\n"
           "add rule inet %1$s at-%2$s ip6 daddr %6$s return\n"
           "add rule inet %1$s at-%2$s jump arriving\n"
           "add rule inet %1$s new-%2$s ct count over %3$u drop\n"
           "add rule inet %1$s new-%2$s jump sum\n"
           "add rule inet %1$s new-%2$s ct mark set %4$u\n"
           "add rule inet %1$s host-%2$s ct state established,related accept\n"
           "add rule inet %1$s host-%2$s icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } "
           "accept\n"
           "add rule inet %1$s host-%2$s ct state != new drop\n"
           "add rule inet %1$s host-%2$s jump new-%2$s\n"
           "add rule inet %1$s host-%2$s icmp type echo-request "
           "limit rate 20/second burst 20 packets accept\n"
           "add rule inet %1$s host-%2$s icmpv6 type echo-request "
           "limit rate 20/second burst 20 packets accept\n",
           table, tap, guest->connections, mark, TEXT4 (plan->gateway4), TEXT6 (plan->gateway6));
  if (guest->has_resolver)
    fprintf (text, "add rule inet %s host-%s meta l4proto { tcp, udp } th dport 53 accept\n", table,
             tap);
  fprintf (text,
           "add rule inet %1$s host-%2$s goto refuse\n"
           "add rule inet %1$s to-%2$s ct state established,related accept\n"
           "add rule inet %1$s to-%2$s drop\n"
           "add rule inet %1$s out-%2$s ct state established,related accept\n"
           "add rule inet %1$s out-%2$s icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } "
           "accept\n"
           "add rule inet %1$s out-%2$s drop\n",
           table, tap);
}

/* What the guest's own sockets on the host may begin. */
static void
write_sockets (FILE *text, const char *table, const DnGatewayGuest *guest, const char *tap)
{
  for (int family = 4; family <= 6; family += 2)
    fprintf (text,
             "add set inet %s %s-servers-%d { type ipv%d_addr . inet_proto . inet_service; }\n",
             table, tap, family, family);
  /* cppcheck-suppress invalidPrintfArgType_s */
  fprintf (
      text,
      "add rule inet %1$s reach-%2$s oifname != %2$s drop\n"
      "add rule inet %1$s reach-%2$s ct state new ct mark set %3$u\n"
      "add rule inet %1$s reach-%2$s accept\n"
      "add rule inet %1$s asks-%2$s ip daddr . meta l4proto . th dport @%2$s-servers-4 accept\n"
      "add rule inet %1$s asks-%2$s ip6 daddr . meta l4proto . th dport @%2$s-servers-6 accept\n"
      "add rule inet %1$s asks-%2$s drop\n",
      table, tap, DN_RULES_MARK | guest->slot);
}

static void
write_group (FILE *text, const char *table, uint32_t group)
{
  for (int family = 4; family <= 6; family += 2)
    fprintf (text,
             "add set inet %s group-%u-%d { type ipv%d_addr . inet_proto . inet_service; "
             "flags interval; }\n",
             table, group, family, family);
  fprintf (text,
           "add chain inet %1$s group-%2$u\n"
           "flush chain inet %1$s group-%2$u\n"
           "add rule inet %1$s group-%2$u ip daddr . meta l4proto . th dport @group-%2$u-4 accept\n"
           "add rule inet %1$s group-%2$u ip6 daddr . meta l4proto . th dport @group-%2$u-6 "
           "accept\n"
           "add rule inet %1$s group-%2$u goto refuse\n",
           table, group);
}

/* By device: what of a packet that comes from a guest, or goes to it, is asked where. */
static const char *const maps[] = { "at", "from", "to", "host", "out" };
/* The first is jumped to by others. */
static const char *const guest_chains[]
    = { "new", "at", "from", "to", "host", "out", "reach", "asks" };

static void
write_names (FILE *text, const char *table, const DnGatewayGuest *guest, const DnNetworkPlan *plan)
{
  for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
    fprintf (text, "add element inet %s %s { %s : jump %s-%s }\n", table, maps[i], plan->tap,
             maps[i], plan->tap);
  /* cppcheck-suppress invalidPrintfArgType_s */
  fprintf (text,
           "add element inet %1$s taps { %2$s }\n"
           "add element inet %1$s uids { %3$u }\n"
           "add element inet %1$s marks { %4$u : goto reach-%2$s, %5$u : goto asks-%2$s }\n",
           table, plan->tap, plan->uid, DN_RULES_MARK_REACH | plan->slot,
           DN_RULES_MARK_ASKS | plan->slot);
  fprintf (text, "add element inet %s pool4 { %s/%u }\n", table, TEXT4 (guest->pool.address4),
           guest->pool.bits4);
  /* cppcheck-suppress invalidPrintfArgType_uint */
  fprintf (text, "add element inet %s pool6 { %s/%u }\n", table, TEXT6 (guest->pool.prefix6),
           DN_NETWORK_PREFIX6_BITS);
}

void
dn_rules_write_guest (FILE *text, const char *table, bool is_twin, const DnGatewayGuest *guest,
                      const DnNetworkPlan *plan)
{
  const char *tap = plan->tap;
  char in[96], out[96];

  (void) snprintf (in, sizeof in, "netdev %s in-%s", table, tap);
  (void) snprintf (out, sizeof out, "netdev %s out-%s", table, tap);
  for (size_t i = 0; i < sizeof guest_chains / sizeof guest_chains[0]; i++)
    fprintf (text, "add chain inet %s %s-%s\n", table, guest_chains[i], tap);
  if (guest->group != 0)
    write_group (text, table, guest->group);
  write_lists (text, table, guest, tap);
  write_from (text, table, guest, tap);
  write_host (text, table, guest, plan);
  write_sockets (text, table, guest, tap);
  if (is_twin)
    fprintf (text, "add chain %s\nadd chain %s\n", in, out);
  else
    {
      write_names (text, table, guest, plan);
      fprintf (text,
               "add chain %s { type filter hook ingress device %s priority 0; policy drop; }\n"
               "add chain %s { type filter hook egress device %s priority 0; policy drop; }\n",
               in, tap, out, tap);
    }
  write_ingress (text, in, guest, plan);
  write_egress (text, out, guest, plan);
}

/* "add" before "delete", so that it is there to be deleted. */
static void
write_chain_removal (FILE *text, const char *family, const char *chain, const char *tap)
{
  fprintf (text,
           "add chain %1$s " DN_RULES_TABLE " %2$s-%3$s\n"
           "flush chain %1$s " DN_RULES_TABLE " %2$s-%3$s\n"
           "delete chain %1$s " DN_RULES_TABLE " %2$s-%3$s\n",
           family, chain, tap);
}

void
dn_rules_write_removal (FILE *text, uint32_t slot, uint32_t list_bits)
{
  char tap[DN_NETWORK_TAP_BYTES];

  dn_network_tap_name (slot, tap);
  for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
    fprintf (text,
             "add chain inet " DN_RULES_TABLE " %1$s-%2$s\n"
             "add element inet " DN_RULES_TABLE " %1$s { %2$s : jump %1$s-%2$s }\n"
             "delete element inet " DN_RULES_TABLE " %1$s { %2$s }\n",
             maps[i], tap);
  /* cppcheck-suppress invalidPrintfArgType_s */
  fprintf (text,
           "add element inet " DN_RULES_TABLE " taps { %1$s }\n"
           "delete element inet " DN_RULES_TABLE " taps { %1$s }\n"
           "add element inet " DN_RULES_TABLE " uids { %2$u }\n"
           "delete element inet " DN_RULES_TABLE " uids { %2$u }\n"
           "add chain inet " DN_RULES_TABLE " reach-%1$s\n"
           "add chain inet " DN_RULES_TABLE " asks-%1$s\n"
           "add element inet " DN_RULES_TABLE
           " marks { %3$u : goto reach-%1$s, %4$u : goto asks-%1$s }\n"
           "delete element inet " DN_RULES_TABLE " marks { %3$u, %4$u }\n",
           tap, DN_NETWORK_UID_FIRST + slot, DN_RULES_MARK_REACH | slot, DN_RULES_MARK_ASKS | slot);
  /* Backwards: those that jump before those jumped to. */
  for (size_t i = sizeof guest_chains / sizeof guest_chains[0]; i-- > 0;)
    write_chain_removal (text, "inet", guest_chains[i], tap);
  for (int family = 4; family <= 6; family += 2)
    fprintf (text,
             "add set inet " DN_RULES_TABLE
             " %1$s-servers-%2$d { type ipv%2$d_addr . inet_proto . inet_service; }\n"
             "delete set inet " DN_RULES_TABLE " %1$s-servers-%2$d\n",
             tap, family);
  write_chain_removal (text, "netdev", "in", tap);
  write_chain_removal (text, "netdev", "out", tap);
  for (uint32_t list = 1; list <= DN_GATEWAY_LISTS_MAX; list++)
    if ((list_bits & 1u << (list - 1)) != 0)
      fprintf (text,
               "delete set inet " DN_RULES_TABLE " %1$s-list%2$u-4\n"
               "delete set inet " DN_RULES_TABLE " %1$s-list%2$u-6\n",
               tap, list);
}

void
dn_rules_write_members (FILE *text, const DnGatewayMembers *members)
{
  for (int family = 4; family <= 6; family += 2)
    fprintf (text, "flush set inet " DN_RULES_TABLE " group-%u-%d\n", members->group, family);
  for (uint32_t i = 0; i < members->count; i++)
    {
      const DnGatewayExposed *exposed = &members->exposed[i];
      const char *protocol = exposed->protocol == IPPROTO_TCP ? "tcp" : "udp";
      struct in6_addr six;
      struct in_addr four;
      DnNetworkPlan plan;

      if (dn_network_plan_make (&members->pool, exposed->slot, &plan) < 0
          || dn_network_plan_container (&plan, exposed->container_slot, &four, &six) < 0)
        continue;
      fprintf (text, "add element inet " DN_RULES_TABLE " group-%u-4 { %s . %s . %u-%u }\n",
               members->group, TEXT4 (four), protocol, exposed->port_first, exposed->port_last);
      fprintf (text, "add element inet " DN_RULES_TABLE " group-%u-6 { %s . %s . %u-%u }\n",
               members->group, TEXT6 (six), protocol, exposed->port_first, exposed->port_last);
    }
}

void
dn_rules_write_servers (FILE *text, const DnGatewayResolver *resolver)
{
  char tap[DN_NETWORK_TAP_BYTES];

  dn_network_tap_name (resolver->slot, tap);
  for (int family = 4; family <= 6; family += 2)
    fprintf (text, "flush set inet " DN_RULES_TABLE " %s-servers-%d\n", tap, family);
  for (uint32_t i = 0; i < resolver->server_count; i++)
    {
      const DnNetworkEnd *server = &resolver->servers[i];

      fprintf (text,
               "add element inet " DN_RULES_TABLE
               " %1$s-servers-%2$u { %3$s . tcp . %4$u, %3$s . udp . %4$u }\n",
               tap, server->family, address_text (server->family, server->address).text,
               server->port);
    }
}

void
dn_rules_write_guard (FILE *text, int family)
{
  fprintf (text, "add rule inet " DN_RULES_TABLE " guard meta nfproto ipv%d drop\n", family);
}

void
dn_rules_write_pin (FILE *text, uint32_t slot, uint8_t family, uint8_t list, const uint8_t *address,
                    uint32_t ttl_s)
{
  char tap[DN_NETWORK_TAP_BYTES], element[160];

  dn_network_tap_name (slot, tap);
  (void) snprintf (element, sizeof element, "element inet " DN_RULES_TABLE " %s-list%u-%u { %s",
                   tap, list, family, address_text (family, address).text);
  /* An element that is there keeps its old end: so it is taken out first. */
  /* cppcheck-suppress invalidPrintfArgType_s */
  fprintf (text, "add %1$s }\ndelete %1$s }\nadd %1$s timeout %2$us }\n", element, ttl_s);
}
