/* SPDX-License-Identifier: Apache-2.0 */
#include "firewall.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define FROM "from"
#define TO "to"
#define CHAIN_BYTES 32

/* Before connections are told apart, so that a lie does not even make an entry. */
#define PRIORITY_RAW (-300)
#define PRIORITY_FILTER 0

#define ETHER_SOURCE 6
#define IPV4_SOURCE 12
#define IPV6_SOURCE 8

#define ICMP_ECHO_REQUEST 8
#define ICMPV6_ECHO_REQUEST 128

/* Rules of a card's chains besides its ports: firewall_check() counts. */
#define FROM_RULES 2
#define TO_RULES 4

static DnNetlinkBatch batch;

static void
name_chain (const char *direction, const char *card, char ret_chain[CHAIN_BYTES])
{
  (void) snprintf (ret_chain, CHAIN_BYTES, "%s-%s", direction, card);
}

static void
accept_state (DnNft *nft, const char *chain)
{
  dn_nft_begin_rule (nft, chain);
  dn_nft_match_state (nft, DN_NFT_STATE_ESTABLISHED | DN_NFT_STATE_RELATED);
  dn_nft_accept (nft);
  dn_nft_end_rule (nft);
}

static void
accept_echo (DnNft *nft, const char *chain, const char *card)
{
  static const struct
  {
    uint8_t family;
    uint8_t protocol;
    uint8_t type;
  } echoes[] = { { AF_INET, IPPROTO_ICMP, ICMP_ECHO_REQUEST },
                 { AF_INET6, IPPROTO_ICMPV6, ICMPV6_ECHO_REQUEST } };

  for (size_t i = 0; i < sizeof echoes / sizeof echoes[0]; i++)
    {
      dn_nft_begin_rule (nft, chain);
      if (card != NULL)
        dn_nft_match_card (nft, false, card);
      dn_nft_match_family (nft, echoes[i].family);
      dn_nft_match_protocol (nft, echoes[i].protocol);
      dn_nft_match_bytes (nft, NFT_PAYLOAD_TRANSPORT_HEADER, 0, &echoes[i].type, 1);
      dn_nft_accept (nft);
      dn_nft_end_rule (nft);
    }
}

static void
accept_card (DnNft *nft, const char *chain, bool is_output, const char *card)
{
  dn_nft_begin_rule (nft, chain);
  dn_nft_match_card (nft, is_output, card);
  dn_nft_accept (nft);
  dn_nft_end_rule (nft);
}

/* At once: a connection that is refused by ICMP alone may wait a second, since a message that comes
 * while the kernel still works on the connection is thrown away. */
static void
refuse (DnNft *nft, const char *chain)
{
  dn_nft_begin_rule (nft, chain);
  dn_nft_match_protocol (nft, IPPROTO_TCP);
  dn_nft_reject (nft, true);
  dn_nft_end_rule (nft);
  dn_nft_begin_rule (nft, chain);
  dn_nft_reject (nft, false);
  dn_nft_end_rule (nft);
}

static void
write_prerouting (DnNft *nft, const char *card)
{
  accept_card (nft, "prerouting", false, "lo");
  if (card != NULL)
    accept_card (nft, "prerouting", false, card);
  dn_nft_begin_rule (nft, "prerouting");
  dn_nft_choose (nft, false, FROM);
  dn_nft_end_rule (nft);
}

static void
write_forward (DnNft *nft, uint32_t flags, const char *card)
{
  accept_state (nft, "forward");
  dn_nft_begin_rule (nft, "forward");
  dn_nft_match_state (nft, DN_NFT_STATE_INVALID);
  dn_nft_drop (nft);
  dn_nft_end_rule (nft);
  if (card != NULL)
    {
      dn_nft_begin_rule (nft, "forward");
      dn_nft_match_card (nft, false, card);
      dn_nft_choose (nft, true, TO);
      dn_nft_end_rule (nft);
      /* What is for no container does not go back where it came from. */
      dn_nft_begin_rule (nft, "forward");
      dn_nft_match_card (nft, false, card);
      dn_nft_drop (nft);
      dn_nft_end_rule (nft);
    }
  if ((flags & DN_NETWORK_CONTAINERS) != 0)
    {
      dn_nft_begin_rule (nft, "forward");
      dn_nft_choose (nft, true, TO);
      dn_nft_end_rule (nft);
    }
  if (card != NULL && (flags & DN_NETWORK_OUTGOING) != 0)
    accept_card (nft, "forward", true, card);
  refuse (nft, "forward");
}

static void
write_input (DnNft *nft, const char *card)
{
  accept_card (nft, "input", false, "lo");
  accept_state (nft, "input");
  if (card != NULL)
    accept_echo (nft, "input", card);
}

int
dn_firewall_open (uint32_t flags, const char *card, DnFault *fault)
{
  static const struct
  {
    const char *chain;
    unsigned hook;
    int priority;
  } hooks[] = { { "prerouting", DN_NFT_HOOK_PREROUTING, PRIORITY_RAW },
                { "forward", DN_NFT_HOOK_FORWARD, PRIORITY_FILTER },
                { "input", DN_NFT_HOOK_INPUT, PRIORITY_FILTER } };
  DnNft nft;
  int r;

  dn_nft_begin (&nft, &batch);
  dn_nft_add_table (&nft);
  dn_nft_add_map (&nft, FROM);
  dn_nft_add_map (&nft, TO);
  for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++)
    {
      dn_nft_add_hook (&nft, hooks[i].chain, hooks[i].hook, hooks[i].priority);
      dn_nft_flush_chain (&nft, hooks[i].chain);
    }
  write_prerouting (&nft, card);
  write_forward (&nft, flags, card);
  write_input (&nft, card);
  r = dn_nft_commit (&nft);
  return r < 0 ? dn_fault_set (fault, r == -ENOENT ? -EIO : r, "make the packet filter: %s",
                               strerror (-r))
               : 0;
}

/* The same with both families; @offset is in the network's header. */
static void
accept_source (DnNft *nft, const char *chain, const DnFirewallCard *card, uint8_t family)
{
  const bool is_ipv4 = family == AF_INET;

  dn_nft_begin_rule (nft, chain);
  dn_nft_match_bytes (nft, NFT_PAYLOAD_LL_HEADER, ETHER_SOURCE, card->mac, sizeof card->mac);
  dn_nft_match_family (nft, family);
  dn_nft_match_bytes (nft, NFT_PAYLOAD_NETWORK_HEADER, is_ipv4 ? IPV4_SOURCE : IPV6_SOURCE,
                      is_ipv4 ? card->ipv4 : card->ipv6,
                      is_ipv4 ? sizeof card->ipv4 : sizeof card->ipv6);
  dn_nft_accept (nft);
  dn_nft_end_rule (nft);
}

static void
write_ports (DnNft *nft, const char *chain, const DnFirewallCard *card)
{
  for (size_t i = 0; i < card->port_count; i++)
    {
      dn_nft_begin_rule (nft, chain);
      dn_nft_match_protocol (nft, card->ports[i].protocol);
      dn_nft_match_port (nft, card->ports[i].first, card->ports[i].last);
      dn_nft_accept (nft);
      dn_nft_end_rule (nft);
    }
  accept_echo (nft, chain, NULL);
  refuse (nft, chain);
}

int
dn_firewall_add (const DnFirewallCard *card, DnFault *fault)
{
  char from[CHAIN_BYTES];
  char to[CHAIN_BYTES];
  DnNft nft;
  int r;

  name_chain (FROM, card->name, from);
  name_chain (TO, card->name, to);
  dn_nft_begin (&nft, &batch);
  dn_nft_add_chain (&nft, from);
  accept_source (&nft, from, card, AF_INET);
  accept_source (&nft, from, card, AF_INET6);
  dn_nft_add_chain (&nft, to);
  write_ports (&nft, to, card);
  dn_nft_add_entry (&nft, FROM, card->name, from);
  dn_nft_add_entry (&nft, TO, card->name, to);
  r = dn_nft_commit (&nft);
  return r < 0 ? dn_fault_set (fault, r == -ENOENT ? -EIO : r, "add to the packet filter: %s",
                               strerror (-r))
               : 0;
}

int
dn_firewall_set_ports (const DnFirewallCard *card, DnFault *fault)
{
  char to[CHAIN_BYTES];
  DnNft nft;
  int r;

  name_chain (TO, card->name, to);
  dn_nft_begin (&nft, &batch);
  dn_nft_flush_chain (&nft, to);
  write_ports (&nft, to, card);
  r = dn_nft_commit (&nft);
  return r < 0 ? dn_fault_set (fault, r == -ENOENT ? -EIO : r, "change the packet filter: %s",
                               strerror (-r))
               : 0;
}

void
dn_firewall_remove (const char *name)
{
  char from[CHAIN_BYTES];
  char to[CHAIN_BYTES];
  DnNft nft;

  name_chain (FROM, name, from);
  name_chain (TO, name, to);
  dn_nft_begin (&nft, &batch);
  dn_nft_remove_entry (&nft, FROM, name);
  dn_nft_remove_entry (&nft, TO, name);
  dn_nft_remove_chain (&nft, from);
  dn_nft_remove_chain (&nft, to);
  (void) dn_nft_commit (&nft);
}

int
dn_firewall_check (const DnFirewallCard *card, DnFault *fault)
{
  char from[CHAIN_BYTES];
  char to[CHAIN_BYTES];

  name_chain (FROM, card->name, from);
  name_chain (TO, card->name, to);
  if (!dn_nft_drops (&batch, "prerouting") || !dn_nft_drops (&batch, "forward")
      || !dn_nft_drops (&batch, "input"))
    return dn_fault_set (fault, -EPERM, "the packet filter's hooks are not there");
  if (!dn_nft_leads_to (&batch, FROM, card->name, from)
      || !dn_nft_leads_to (&batch, TO, card->name, to))
    return dn_fault_set (fault, -EPERM, "the packet filter does not know its card");
  if (dn_nft_count_rules (&batch, from) != FROM_RULES
      || dn_nft_count_rules (&batch, to) != (int) card->port_count + TO_RULES)
    return dn_fault_set (fault, -EPERM, "the packet filter has other rules for its card");
  return 0;
}
