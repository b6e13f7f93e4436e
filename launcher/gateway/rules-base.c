/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/public-address.h"
#include "rules-parts.h"

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
