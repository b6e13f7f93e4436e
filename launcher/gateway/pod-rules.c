/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-rules.h"

#include <arpa/inet.h>
#include <stdbool.h>

#define IN "netdev " DN_POD_TABLE

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

static void
write_arp (FILE *text, const DnPodFacts *facts, const char *mac)
{
  if (!has_family (facts, 4))
    return;
  fprintf (text,
           "add rule " IN " from-arp arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp operation "
           "{ request, reply } arp saddr ether %s arp saddr ip ",
           mac);
  write_own (text, facts, 4);
  fprintf (text, " fwd to \"%s\"\n", facts->name);
}

/* Back to the loopback goes what answers; nothing is begun. */
static void
write_back (FILE *text, uint8_t family)
{
  const char *ip = family == 4 ? "ip" : "ip6";
  const char *self = family == 4 ? "127.0.0.1" : "::1";

  fprintf (text,
           "add rule " IN " back%u tcp flags & (syn | ack) == syn drop\n"
           "add rule " IN " back%u %s saddr set %s %s daddr set %s meta mark set %u "
           "fwd %s to %s device \"lo\"\n",
           family, family, ip, self, ip, self, DN_POD_MARK, ip, self);
}

static void
write_four (FILE *text, const DnPodFacts *facts)
{
  if (!has_family (facts, 4))
    return;
  fputs ("add rule " IN " four ip version != 4 drop\n"
         "add rule " IN " four ip daddr 127.0.0.0/8 drop\n"
         "add rule " IN " four ip protocol udp udp sport 67 drop\n",
         text);
  fputs ("add rule " IN " four ip daddr " DN_POD_PEER_IPV4 " ip protocol tcp ip saddr ", text);
  write_own (text, facts, 4);
  fputs (" goto back4\n"
         "add rule " IN " four ip daddr " DN_POD_PEER_IPV4 " drop\n"
         "add rule " IN " four ip saddr ",
         text);
  write_own (text, facts, 4);
  fprintf (text, " ip daddr != 0.0.0.0 fwd to \"%s\"\n", facts->name);
  write_back (text, 4);
}

/* The advertised address, at byte 8: nft knows no name for it before 1.0.8. */
static void
write_advertisements (FILE *text, const DnPodFacts *facts)
{
  for (size_t i = 0; i < facts->count; i++)
    {
      const DnPodRecord *record = &facts->records[i];

      if (record->kind != DN_POD_ADDRESS || record->family != 6)
        continue;
      fputs ("add rule " IN " six icmpv6 type nd-neighbor-advert @th,64,128 0x", text);
      for (size_t byte = 0; byte < sizeof record->address; byte++)
        fprintf (text, "%02x", record->address[byte]);
      fputs (" ip6 saddr ", text);
      write_own (text, facts, 6);
      fprintf (text, " fwd to \"%s\"\n", facts->name);
    }
  fputs ("add rule " IN " six icmpv6 type nd-neighbor-advert drop\n", text);
}

static void
write_six (FILE *text, const DnPodFacts *facts)
{
  if (!has_family (facts, 6))
    return;
  fprintf (text,
           "add rule " IN " six ip6 version != 6 drop\n"
           "add rule " IN " six icmpv6 type { nd-router-advert, nd-redirect } drop\n"
           /* Reports of groups before there is an address, without which a bridge that listens to
              them would hand over no solicitation. */
           "add rule " IN " six ip6 saddr :: icmpv6 type { mld-listener-report, "
           "mld2-listener-report } fwd to \"%s\"\n"
           "add rule " IN " six meta l4proto udp udp sport 547 drop\n",
           facts->name);
  write_advertisements (text, facts);
  fputs ("add rule " IN " six ip6 daddr " DN_POD_PEER_IPV6 " meta l4proto tcp ip6 saddr ", text);
  write_own (text, facts, 6);
  fputs (" goto back6\n"
         "add rule " IN " six ip6 daddr " DN_POD_PEER_IPV6 " drop\n"
         "add rule " IN " six ip6 saddr ",
         text);
  write_own (text, facts, 6);
  /* What comes behind the options must have been found, too. */
  fprintf (text, " ip6 daddr != :: meta l4proto != 255 fwd to \"%s\"\n", facts->name);
  write_back (text, 6);
}

static void
write_card (FILE *text, const char *tap)
{
  fprintf (text,
           "add rule " IN " in-card ip saddr { 127.0.0.0/8, " DN_POD_PEER_IPV4 " } drop\n"
           "add rule " IN " in-card ip daddr { 127.0.0.0/8, " DN_POD_PEER_IPV4 " } drop\n"
           "add rule " IN " in-card ip6 saddr { ::1, " DN_POD_PEER_IPV6 " } drop\n"
           "add rule " IN " in-card ip6 daddr { ::1, " DN_POD_PEER_IPV6 " } drop\n"
           "add rule " IN " in-card fwd to \"%s\"\n",
           tap);
}

static void
write_loopback (FILE *text, const DnPodFacts *facts, const char *tap)
{
  fprintf (text, "add rule " IN " in-lo meta mark %u accept\n", DN_POD_MARK);
  for (uint8_t family = 4; family <= 6; family += 2)
    {
      const DnPodRecord *own = dn_pod_own_address (facts, family);
      const char *ip = family == 4 ? "ip" : "ip6";
      const char *self = family == 4 ? "127.0.0.1" : "::1";

      if (own == NULL)
        continue;
      fprintf (text,
               "add rule " IN " in-lo %s saddr %s %s daddr %s meta l4proto tcp "
               "%s saddr set %s %s daddr set ",
               ip, self, ip, self, ip, family == 4 ? DN_POD_PEER_IPV4 : DN_POD_PEER_IPV6, ip);
      write_address (text, own);
      fprintf (text, " fwd %s to ", ip);
      write_address (text, own);
      fprintf (text, " device \"%s\"\n", tap);
    }
}

void
dn_pod_rules_write (FILE *text, const DnPodFacts *facts, const char *tap)
{
  static const char *const chains[] = { "from-arp", "four", "six", "back4", "back6" };
  char mac[DN_NETWORK_MAC_TEXT_BYTES];

  dn_network_mac_format (facts->mac, mac);
  fputs ("add table " IN "\ndelete table " IN "\nadd table " IN "\n", text);
  for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++)
    fprintf (text, "add chain " IN " %s\n", chains[i]);
  fprintf (text,
           "add chain " IN " in-tap { type filter hook ingress device \"%s\" priority 0; "
           "policy drop; }\n"
           "add chain " IN " in-card { type filter hook ingress device \"%s\" priority 0; "
           "policy drop; }\n"
           "add chain " IN " in-lo { type filter hook ingress device \"lo\" priority 0; "
           "policy accept; }\n"
           "add rule " IN " in-tap ether saddr != %s drop\n"
           "add rule " IN " in-tap ether type arp goto from-arp\n"
           "add rule " IN " in-tap ether type ip goto four\n"
           "add rule " IN " in-tap ether type ip6 goto six\n",
           tap, facts->name, mac);
  write_arp (text, facts, mac);
  write_four (text, facts);
  write_six (text, facts);
  write_card (text, tap);
  write_loopback (text, facts, tap);
}

void
dn_pod_rules_write_removal (FILE *text)
{
  fputs ("add table " IN "\ndelete table " IN "\n", text);
}
