/* SPDX-License-Identifier: Apache-2.0 */
#include "rules-parts.h"

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
  dn_rules_write_lists (text, table, guest, tap);
  dn_rules_write_from (text, table, guest, tap);
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
  dn_rules_write_frames_in (text, in, guest, plan);
  dn_rules_write_frames_out (text, out, guest, plan);
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
