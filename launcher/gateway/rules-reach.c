/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>

#include "../base/gateway-pin.h"
#include "../base/public-address.h"
#include "rules-parts.h"

void
dn_rules_write_lists (FILE *text, const char *table, const DnGatewayGuest *guest, const char *tap)
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
               dn_rules_address (rule->family, rule->address).text, rule->bits);
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

void
dn_rules_write_from (FILE *text, const char *table, const DnGatewayGuest *guest, const char *tap)
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
