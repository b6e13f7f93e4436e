/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-rules.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdbool.h>

typedef struct
{
  FILE *text;
  const DnPodFacts *facts;
  const char *table;
  const char *tap;
} Writer;

static bool
is_link_local (const DnPodRecord *record)
{
  return record->family == 6 && record->address[0] == 0xfe && (record->address[1] & 0xc0) == 0x80;
}

const DnPodRecord *
dn_pod_own_address (const DnPodFacts *facts, uint8_t family)
{
  for (size_t i = 0; i < facts->count; i++)
    if (facts->records[i].kind == DN_POD_ADDRESS && facts->records[i].family == family
        && !is_link_local (&facts->records[i]))
      return &facts->records[i];
  return NULL;
}

static void
write_address (FILE *text, const DnPodRecord *record)
{
  char address[INET6_ADDRSTRLEN];

  (void) inet_ntop (record->family == 4 ? AF_INET : AF_INET6, record->address, address,
                    sizeof address);
  fputs (address, text);
}

/* The set of the pod's own addresses of a family, which is not empty. */
static void
write_own (FILE *text, const DnPodFacts *facts, uint8_t family)
{
  const char *comma = "{ ";

  for (size_t i = 0; i < facts->count; i++)
    if (facts->records[i].kind == DN_POD_ADDRESS && facts->records[i].family == family)
      {
        fputs (comma, text);
        write_address (text, &facts->records[i]);
        comma = ", ";
      }
  fputs (" }", text);
}

static bool
has_family (const DnPodFacts *facts, uint8_t family)
{
  for (size_t i = 0; i < facts->count; i++)
    if (facts->records[i].kind == DN_POD_ADDRESS && facts->records[i].family == family)
      return true;
  return false;
}

/* One rule, or the beginning of one: without its end of line. */
__attribute__ ((format (printf, 3, 4))) static void
begin (const Writer *to, const char *chain, const char *format, ...)
{
  va_list arguments;

  fprintf (to->text, "add rule netdev %s %s ", to->table, chain);
  va_start (arguments, format);
  vfprintf (to->text, format, arguments);
  va_end (arguments);
}

/* A whole one, of words that are given. */
static void
put (const Writer *to, const char *chain, const char *rule)
{
  begin (to, chain, "%s\n", rule);
}

static void
write_arp (const Writer *to, const char *mac)
{
  if (!has_family (to->facts, 4))
    return;
  begin (to, "from-arp",
         "arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp operation { request, reply } "
         "arp saddr ether %s arp saddr ip ",
         mac);
  write_own (to->text, to->facts, 4);
  fprintf (to->text, " fwd to \"%s\"\n", to->facts->name);
}

/* Back to the loopback goes what answers; nothing is begun. */
static void
write_back (const Writer *to, uint8_t family)
{
  const char *chain = family == 4 ? "back4" : "back6";
  const char *ip = family == 4 ? "ip" : "ip6";
  const char *self = family == 4 ? "127.0.0.1" : "::1";

  put (to, chain, "tcp flags & (syn | ack) == syn drop");
  begin (to, chain, "%s saddr set %s %s daddr set %s meta mark set %u fwd %s to %s device \"lo\"\n",
         ip, self, ip, self, DN_POD_MARK, ip, self);
}

static void
write_four (const Writer *to)
{
  if (!has_family (to->facts, 4))
    return;
  put (to, "four", "ip version != 4 drop");
  put (to, "four", "ip daddr 127.0.0.0/8 drop");
  put (to, "four", "ip protocol udp udp sport 67 drop");
  begin (to, "four", "ip daddr " DN_POD_PEER_IPV4 " ip protocol tcp ip saddr ");
  write_own (to->text, to->facts, 4);
  fputs (" goto back4\n", to->text);
  put (to, "four", "ip daddr " DN_POD_PEER_IPV4 " drop");
  begin (to, "four", "ip saddr ");
  write_own (to->text, to->facts, 4);
  fprintf (to->text, " ip daddr != 0.0.0.0 fwd to \"%s\"\n", to->facts->name);
  write_back (to, 4);
}

/* The advertised address, at byte 8: nft knows no name for it before 1.0.8. */
static void
write_advertisements (const Writer *to)
{
  for (size_t i = 0; i < to->facts->count; i++)
    {
      const DnPodRecord *record = &to->facts->records[i];

      if (record->kind != DN_POD_ADDRESS || record->family != 6)
        continue;
      begin (to, "six", "icmpv6 type nd-neighbor-advert @th,64,128 0x");
      for (size_t byte = 0; byte < sizeof record->address; byte++)
        fprintf (to->text, "%02x", record->address[byte]);
      fputs (" ip6 saddr ", to->text);
      write_own (to->text, to->facts, 6);
      fprintf (to->text, " fwd to \"%s\"\n", to->facts->name);
    }
  put (to, "six", "icmpv6 type nd-neighbor-advert drop");
}

static void
write_six (const Writer *to)
{
  if (!has_family (to->facts, 6))
    return;
  put (to, "six", "ip6 version != 6 drop");
  put (to, "six", "icmpv6 type { nd-router-advert, nd-redirect } drop");
  /* Reports of groups before there is an address, without which a bridge that listens to them would
   * hand over no solicitation. */
  begin (to, "six",
         "ip6 saddr :: icmpv6 type { mld-listener-report, mld2-listener-report } fwd to \"%s\"\n",
         to->facts->name);
  put (to, "six", "meta l4proto udp udp sport 547 drop");
  write_advertisements (to);
  begin (to, "six", "ip6 daddr " DN_POD_PEER_IPV6 " meta l4proto tcp ip6 saddr ");
  write_own (to->text, to->facts, 6);
  fputs (" goto back6\n", to->text);
  put (to, "six", "ip6 daddr " DN_POD_PEER_IPV6 " drop");
  begin (to, "six", "ip6 saddr ");
  write_own (to->text, to->facts, 6);
  /* What comes behind the options must have been found, too. */
  fprintf (to->text, " ip6 daddr != :: meta l4proto != 255 fwd to \"%s\"\n", to->facts->name);
  write_back (to, 6);
}

static void
write_card (const Writer *to)
{
  put (to, "in-card", "ip saddr { 127.0.0.0/8, " DN_POD_PEER_IPV4 " } drop");
  put (to, "in-card", "ip daddr { 127.0.0.0/8, " DN_POD_PEER_IPV4 " } drop");
  put (to, "in-card", "ip6 saddr { ::1, " DN_POD_PEER_IPV6 " } drop");
  put (to, "in-card", "ip6 daddr { ::1, " DN_POD_PEER_IPV6 " } drop");
  begin (to, "in-card", "fwd to \"%s\"\n", to->tap);
}

static void
write_loopback (const Writer *to)
{
  begin (to, "in-lo", "meta mark %u accept\n", DN_POD_MARK);
  for (uint8_t family = 4; family <= 6; family += 2)
    {
      const DnPodRecord *own = dn_pod_own_address (to->facts, family);
      const char *ip = family == 4 ? "ip" : "ip6";
      const char *self = family == 4 ? "127.0.0.1" : "::1";

      if (own == NULL)
        continue;
      begin (to, "in-lo", "%s saddr %s %s daddr %s meta l4proto tcp %s saddr set %s %s daddr set ",
             ip, self, ip, self, ip, family == 4 ? DN_POD_PEER_IPV4 : DN_POD_PEER_IPV6, ip);
      write_address (to->text, own);
      fprintf (to->text, " fwd %s to ", ip);
      write_address (to->text, own);
      fprintf (to->text, " device \"%s\"\n", to->tap);
    }
}

/* @is_twin: the same chain, hooked to nothing. */
static void
add_hook (const Writer *to, const char *chain, const char *device, const char *policy, bool is_twin)
{
  fprintf (to->text, "add chain netdev %s %s", to->table, chain);
  if (!is_twin)
    fprintf (to->text, " { type filter hook ingress device \"%s\" priority 0; policy %s; }", device,
             policy);
  fputc ('\n', to->text);
}

static void
write_all (const Writer *to, bool is_twin)
{
  static const char *const chains[] = { "from-arp", "four", "six", "back4", "back6" };
  char mac[DN_NETWORK_MAC_TEXT_BYTES];

  dn_network_mac_format (to->facts->mac, mac);
  dn_pod_rules_write_removal (to->text, to->table);
  fprintf (to->text, "add table netdev %s\n", to->table);
  for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++)
    fprintf (to->text, "add chain netdev %s %s\n", to->table, chains[i]);
  add_hook (to, "in-tap", to->tap, "drop", is_twin);
  add_hook (to, "in-card", to->facts->name, "drop", is_twin);
  add_hook (to, "in-lo", "lo", "accept", is_twin);
  begin (to, "in-tap", "ether saddr != %s drop\n", mac);
  put (to, "in-tap", "ether type arp goto from-arp");
  put (to, "in-tap", "ether type ip goto four");
  put (to, "in-tap", "ether type ip6 goto six");
  write_arp (to, mac);
  write_four (to);
  write_six (to);
  write_card (to);
  write_loopback (to);
}

void
dn_pod_rules_write (FILE *text, const DnPodFacts *facts, const char *tap)
{
  const Writer to = { text, facts, DN_POD_TABLE, tap };

  write_all (&to, false);
}

void
dn_pod_rules_write_twin (FILE *text, const DnPodFacts *facts, const char *tap)
{
  const Writer to = { text, facts, DN_POD_TWIN, tap };

  write_all (&to, true);
}

void
dn_pod_rules_write_removal (FILE *text, const char *table)
{
  fprintf (text, "add table netdev %1$s\ndelete table netdev %1$s\n", table);
}
