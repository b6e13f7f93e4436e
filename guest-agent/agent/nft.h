/* SPDX-License-Identifier: Apache-2.0 */
/* The packet filter's own language, as messages of a batch: tables, chains, maps and rules of the
 * family inet, as little of it as the guest's table needs.
 *
 * A rule is begun, gets its words in order, and is ended; all words of a rule have to match, and
 * the last decides.  What is matched goes through one register.  Between dn_nft_begin() and
 * dn_nft_end() everything takes effect at once or not at all.
 *
 * Pure, but for dn_nft_commit().  Source: nft(8); the kernel's uapi/linux/netfilter/nf_tables.h,
 * net/netfilter/nf_tables_api.c.
 */
#pragma once

#include <linux/netfilter/nf_tables.h>

#include "fault.h"
#include "netlink.h"

#define DN_NFT_TABLE "danchi"

/* Of linux/netfilter.h, which cannot be included beside netinet/in.h. */
enum
{
  DN_NFT_HOOK_PREROUTING = 0,
  DN_NFT_HOOK_INPUT = 1,
  DN_NFT_HOOK_FORWARD = 2,
  DN_NFT_HOOK_POSTROUTING = 4,
  DN_NFT_DROP = 0,
  DN_NFT_ACCEPT = 1,
  DN_NFT_FAMILY_INET = 1, /* both; a single one is AF_INET or AF_INET6 */
};

typedef struct
{
  DnNetlinkBatch *batch;
  size_t words; /* of the rule begun last */
} DnNft;

void dn_nft_begin (DnNft *nft, DnNetlinkBatch *batch);
/* Ends the transaction, sends it and waits for the kernel.  0 or -errno. */
int dn_nft_commit (DnNft *nft);

void dn_nft_add_table (DnNft *nft);
void dn_nft_remove_table (DnNft *nft);

void dn_nft_add_chain (DnNft *nft, const char *chain);
/* A chain that the kernel calls at @hook (DN_NFT_HOOK_*): what it does not decide is dropped. */
void dn_nft_add_hook (DnNft *nft, const char *chain, unsigned hook, int priority);
/* Likewise, but what it does not decide passes. */
void dn_nft_add_open_hook (DnNft *nft, const char *chain, unsigned hook, int priority);
void dn_nft_remove_chain (DnNft *nft, const char *chain); /* with its rules */
void dn_nft_flush_chain (DnNft *nft, const char *chain);

/* A map from a card's name to a chain: a verdict map. */
void dn_nft_add_map (DnNft *nft, const char *map);
void dn_nft_add_entry (DnNft *nft, const char *map, const char *card, const char *chain);
void dn_nft_remove_entry (DnNft *nft, const char *map, const char *card);

void dn_nft_begin_rule (DnNft *nft, const char *chain);
void dn_nft_end_rule (DnNft *nft);

/* Words that match. */
void dn_nft_match_card (DnNft *nft, bool is_output, const char *card);
void dn_nft_match_family (DnNft *nft, uint8_t family);     /* AF_INET, AF_INET6 */
void dn_nft_match_protocol (DnNft *nft, uint8_t protocol); /* IPPROTO_* */
/* @base: NFT_PAYLOAD_*_HEADER. */
void dn_nft_match_bytes (DnNft *nft, unsigned base, unsigned offset, const void *bytes,
                         size_t size);
void dn_nft_match_port (DnNft *nft, uint16_t first, uint16_t last);
void dn_nft_match_state (DnNft *nft, uint32_t bits); /* DN_NFT_STATE_*: one of them */

#define DN_NFT_STATE_INVALID 1u
#define DN_NFT_STATE_ESTABLISHED 2u
#define DN_NFT_STATE_RELATED 4u

/* A word that writes, into an IP header, and mends the checksums.  @address: 4 or 16 bytes, as
 * @family (AF_*) has them. */
void dn_nft_set_address (DnNft *nft, int family, unsigned offset, const uint8_t *address);

/* Words that decide. */
void dn_nft_accept (DnNft *nft);
void dn_nft_drop (DnNft *nft);
/* "Nobody listens": in TCP's words, or, for a rule about all else, in ICMP's. */
void dn_nft_reject (DnNft *nft, bool is_tcp);
/* To the chain that the map has for the card; on to the next rule where it has none. */
void dn_nft_choose (DnNft *nft, bool is_output, const char *map);

/* nft-look.c: what is really there.  @batch: memory to ask with. */

/* Whether that chain is at its hook and drops what it does not decide. */
bool dn_nft_drops (DnNetlinkBatch *batch, const char *chain);
/* How many rules it has; -1 where that cannot be said. */
int dn_nft_count_rules (DnNetlinkBatch *batch, const char *chain);
bool dn_nft_leads_to (DnNetlinkBatch *batch, const char *map, const char *card, const char *chain);
