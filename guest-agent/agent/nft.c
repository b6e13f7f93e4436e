/* SPDX-License-Identifier: Apache-2.0 */
#include "nft.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <string.h>

#include "autofd.h"

/* What nft(8) shows a map's keys as; the kernel does not look. */
#define TYPE_CARD 41
#define TYPE_VERDICT NFT_DATA_VERDICT
#define REGISTER NFT_REG_1
#define IPV4_CHECKSUM 10

static void
begin (DnNft *nft, unsigned message, unsigned flags)
{
  const struct nfgenmsg header = { .nfgen_family = DN_NFT_FAMILY_INET, .version = NFNETLINK_V0 };

  dn_netlink_begin (nft->batch, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | message),
                    (uint16_t) (flags | NLM_F_ACK), &header, sizeof header);
}

static void
frame (DnNft *nft, uint16_t type)
{
  const struct nfgenmsg header = { .nfgen_family = AF_UNSPEC,
                                   .version = NFNETLINK_V0,
                                   .res_id = htons (NFNL_SUBSYS_NFTABLES) };

  dn_netlink_begin (nft->batch, type, 0, &header, sizeof header);
}

void
dn_nft_begin (DnNft *nft, DnNetlinkBatch *batch)
{
  *nft = (DnNft){ .batch = batch };
  dn_netlink_clear (batch);
  frame (nft, NFNL_MSG_BATCH_BEGIN);
}

int
dn_nft_commit (DnNft *nft)
{
  dn_autofd int fd = dn_netlink_open (NETLINK_NETFILTER);

  frame (nft, NFNL_MSG_BATCH_END);
  return fd < 0 ? fd : dn_netlink_talk (fd, nft->batch);
}

void
dn_nft_add_table (DnNft *nft)
{
  begin (nft, NFT_MSG_NEWTABLE, NLM_F_CREATE);
  dn_netlink_put_text (nft->batch, NFTA_TABLE_NAME, DN_NFT_TABLE);
}

void
dn_nft_remove_table (DnNft *nft)
{
  begin (nft, NFT_MSG_DELTABLE, 0);
  dn_netlink_put_text (nft->batch, NFTA_TABLE_NAME, DN_NFT_TABLE);
}

static void
begin_chain (DnNft *nft, unsigned message, unsigned flags, const char *chain)
{
  begin (nft, message, flags);
  dn_netlink_put_text (nft->batch, NFTA_CHAIN_TABLE, DN_NFT_TABLE);
  dn_netlink_put_text (nft->batch, NFTA_CHAIN_NAME, chain);
}

void
dn_nft_add_chain (DnNft *nft, const char *chain)
{
  begin_chain (nft, NFT_MSG_NEWCHAIN, NLM_F_CREATE, chain);
}

static void
add_hook (DnNft *nft, const char *chain, unsigned hook, int priority, unsigned policy)
{
  size_t nest;

  begin_chain (nft, NFT_MSG_NEWCHAIN, NLM_F_CREATE, chain);
  nest = dn_netlink_nest (nft->batch, NFTA_CHAIN_HOOK);
  dn_netlink_put_be32 (nft->batch, NFTA_HOOK_HOOKNUM, hook);
  dn_netlink_put_be32 (nft->batch, NFTA_HOOK_PRIORITY, (uint32_t) priority);
  dn_netlink_end (nft->batch, nest);
  dn_netlink_put_be32 (nft->batch, NFTA_CHAIN_POLICY, policy);
  dn_netlink_put_text (nft->batch, NFTA_CHAIN_TYPE, "filter");
}

void
dn_nft_add_hook (DnNft *nft, const char *chain, unsigned hook, int priority)
{
  add_hook (nft, chain, hook, priority, DN_NFT_DROP);
}

void
dn_nft_add_open_hook (DnNft *nft, const char *chain, unsigned hook, int priority)
{
  add_hook (nft, chain, hook, priority, DN_NFT_ACCEPT);
}

void
dn_nft_remove_chain (DnNft *nft, const char *chain)
{
  begin_chain (nft, NFT_MSG_DELCHAIN, 0, chain);
}

void
dn_nft_flush_chain (DnNft *nft, const char *chain)
{
  begin (nft, NFT_MSG_DELRULE, 0);
  dn_netlink_put_text (nft->batch, NFTA_RULE_TABLE, DN_NFT_TABLE);
  dn_netlink_put_text (nft->batch, NFTA_RULE_CHAIN, chain);
}

void
dn_nft_add_map (DnNft *nft, const char *map)
{
  /* For nft(8), which shows names then: attribute 0, of 4 bytes, 1: the key is in the host's order.
   */
  static const uint8_t host_order[] = { 0, 4, 1, 0, 0, 0 };

  begin (nft, NFT_MSG_NEWSET, NLM_F_CREATE);
  dn_netlink_put_text (nft->batch, NFTA_SET_TABLE, DN_NFT_TABLE);
  dn_netlink_put_text (nft->batch, NFTA_SET_NAME, map);
  dn_netlink_put_be32 (nft->batch, NFTA_SET_FLAGS, NFT_SET_MAP);
  dn_netlink_put_be32 (nft->batch, NFTA_SET_KEY_TYPE, TYPE_CARD);
  dn_netlink_put_be32 (nft->batch, NFTA_SET_KEY_LEN, IF_NAMESIZE);
  dn_netlink_put_be32 (nft->batch, NFTA_SET_DATA_TYPE, TYPE_VERDICT);
  dn_netlink_put_be32 (nft->batch, NFTA_SET_ID, 1);
  dn_netlink_put (nft->batch, NFTA_SET_USERDATA, host_order, sizeof host_order);
}

static void
put_data (DnNft *nft, uint16_t type, const void *bytes, size_t size)
{
  size_t nest = dn_netlink_nest (nft->batch, type);

  dn_netlink_put (nft->batch, NFTA_DATA_VALUE, bytes, size);
  dn_netlink_end (nft->batch, nest);
}

/* @chain: of a jump, or NULL. */
static void
put_verdict (DnNft *nft, uint16_t type, int code, const char *chain)
{
  size_t data = dn_netlink_nest (nft->batch, type);
  size_t verdict = dn_netlink_nest (nft->batch, NFTA_DATA_VERDICT);

  dn_netlink_put_be32 (nft->batch, NFTA_VERDICT_CODE, (uint32_t) code);
  if (chain != NULL)
    dn_netlink_put_text (nft->batch, NFTA_VERDICT_CHAIN, chain);
  dn_netlink_end (nft->batch, verdict);
  dn_netlink_end (nft->batch, data);
}

static void
put_entry (DnNft *nft, unsigned message, unsigned flags, const char *map, const char *card,
           const char *chain)
{
  char key[IF_NAMESIZE] = "";
  size_t list, entry;

  begin (nft, message, flags);
  dn_netlink_put_text (nft->batch, NFTA_SET_ELEM_LIST_TABLE, DN_NFT_TABLE);
  dn_netlink_put_text (nft->batch, NFTA_SET_ELEM_LIST_SET, map);
  list = dn_netlink_nest (nft->batch, NFTA_SET_ELEM_LIST_ELEMENTS);
  entry = dn_netlink_nest (nft->batch, NFTA_LIST_ELEM);
  memcpy (key, card, strnlen (card, sizeof key - 1));
  put_data (nft, NFTA_SET_ELEM_KEY, key, sizeof key);
  if (chain != NULL)
    put_verdict (nft, NFTA_SET_ELEM_DATA, NFT_JUMP, chain);
  dn_netlink_end (nft->batch, entry);
  dn_netlink_end (nft->batch, list);
}

void
dn_nft_add_entry (DnNft *nft, const char *map, const char *card, const char *chain)
{
  put_entry (nft, NFT_MSG_NEWSETELEM, NLM_F_CREATE, map, card, chain);
}

void
dn_nft_remove_entry (DnNft *nft, const char *map, const char *card)
{
  put_entry (nft, NFT_MSG_DELSETELEM, 0, map, card, NULL);
}

void
dn_nft_begin_rule (DnNft *nft, const char *chain)
{
  begin (nft, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
  dn_netlink_put_text (nft->batch, NFTA_RULE_TABLE, DN_NFT_TABLE);
  dn_netlink_put_text (nft->batch, NFTA_RULE_CHAIN, chain);
  nft->words = dn_netlink_nest (nft->batch, NFTA_RULE_EXPRESSIONS);
}

void
dn_nft_end_rule (DnNft *nft)
{
  dn_netlink_end (nft->batch, nft->words);
}

typedef struct
{
  size_t word;
  size_t data;
} Word;

static Word
begin_word (DnNft *nft, const char *name)
{
  Word word = { .word = dn_netlink_nest (nft->batch, NFTA_LIST_ELEM) };

  dn_netlink_put_text (nft->batch, NFTA_EXPR_NAME, name);
  word.data = dn_netlink_nest (nft->batch, NFTA_EXPR_DATA);
  return word;
}

static void
end_word (DnNft *nft, Word word)
{
  dn_netlink_end (nft->batch, word.data);
  dn_netlink_end (nft->batch, word.word);
}

static void
load_meta (DnNft *nft, unsigned key)
{
  Word word = begin_word (nft, "meta");

  dn_netlink_put_be32 (nft->batch, NFTA_META_KEY, key);
  dn_netlink_put_be32 (nft->batch, NFTA_META_DREG, REGISTER);
  end_word (nft, word);
}

static void
load_bytes (DnNft *nft, unsigned base, unsigned offset, size_t size)
{
  Word word = begin_word (nft, "payload");

  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_DREG, REGISTER);
  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_BASE, base);
  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_OFFSET, offset);
  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_LEN, (uint32_t) size);
  end_word (nft, word);
}

static void
compare (DnNft *nft, unsigned how, const void *bytes, size_t size)
{
  Word word = begin_word (nft, "cmp");

  dn_netlink_put_be32 (nft->batch, NFTA_CMP_SREG, REGISTER);
  dn_netlink_put_be32 (nft->batch, NFTA_CMP_OP, how);
  put_data (nft, NFTA_CMP_DATA, bytes, size);
  end_word (nft, word);
}

void
dn_nft_match_card (DnNft *nft, bool is_output, const char *card)
{
  char name[IF_NAMESIZE] = "";

  memcpy (name, card, strnlen (card, sizeof name - 1));
  load_meta (nft, is_output ? NFT_META_OIFNAME : NFT_META_IIFNAME);
  compare (nft, NFT_CMP_EQ, name, sizeof name);
}

void
dn_nft_match_family (DnNft *nft, uint8_t family)
{
  load_meta (nft, NFT_META_NFPROTO);
  compare (nft, NFT_CMP_EQ, &family, sizeof family);
}

void
dn_nft_match_protocol (DnNft *nft, uint8_t protocol)
{
  load_meta (nft, NFT_META_L4PROTO);
  compare (nft, NFT_CMP_EQ, &protocol, sizeof protocol);
}

void
dn_nft_match_bytes (DnNft *nft, unsigned base, unsigned offset, const void *bytes, size_t size)
{
  load_bytes (nft, base, offset, size);
  compare (nft, NFT_CMP_EQ, bytes, size);
}

/* Where the destination's port is, in TCP and in UDP. */
void
dn_nft_match_port (DnNft *nft, uint16_t first, uint16_t last)
{
  uint16_t low = htons (first);
  uint16_t high = htons (last);

  load_bytes (nft, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof low);
  if (first == last)
    {
      compare (nft, NFT_CMP_EQ, &low, sizeof low);
      return;
    }
  compare (nft, NFT_CMP_GTE, &low, sizeof low);
  compare (nft, NFT_CMP_LTE, &high, sizeof high);
}

void
dn_nft_match_state (DnNft *nft, uint32_t bits)
{
  const uint32_t zero = 0;
  Word word = begin_word (nft, "ct");

  dn_netlink_put_be32 (nft->batch, NFTA_CT_KEY, NFT_CT_STATE);
  dn_netlink_put_be32 (nft->batch, NFTA_CT_DREG, REGISTER);
  end_word (nft, word);
  word = begin_word (nft, "bitwise");
  dn_netlink_put_be32 (nft->batch, NFTA_BITWISE_SREG, REGISTER);
  dn_netlink_put_be32 (nft->batch, NFTA_BITWISE_DREG, REGISTER);
  dn_netlink_put_be32 (nft->batch, NFTA_BITWISE_LEN, sizeof bits);
  put_data (nft, NFTA_BITWISE_MASK, &bits, sizeof bits);
  put_data (nft, NFTA_BITWISE_XOR, &zero, sizeof zero);
  end_word (nft, word);
  compare (nft, NFT_CMP_NEQ, &zero, sizeof zero);
}

void
dn_nft_set_address (DnNft *nft, int family, unsigned offset, const uint8_t *address)
{
  const bool is_ipv4 = family == AF_INET;
  const size_t size = is_ipv4 ? DN_IPV4_BYTES : DN_ADDRESS_BYTES;
  Word word = begin_word (nft, "immediate");

  dn_netlink_put_be32 (nft->batch, NFTA_IMMEDIATE_DREG, REGISTER);
  put_data (nft, NFTA_IMMEDIATE_DATA, address, size);
  end_word (nft, word);
  word = begin_word (nft, "payload");
  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_SREG, REGISTER);
  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_OFFSET, offset);
  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_LEN, (uint32_t) size);
  /* IPv6's header has no checksum of its own. */
  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_CSUM_TYPE,
                       is_ipv4 ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE);
  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_CSUM_OFFSET, is_ipv4 ? IPV4_CHECKSUM : 0);
  /* And TCP's, which counts the addresses. */
  dn_netlink_put_be32 (nft->batch, NFTA_PAYLOAD_CSUM_FLAGS, NFT_PAYLOAD_L4CSUM_PSEUDOHDR);
  end_word (nft, word);
}

static void
decide (DnNft *nft, int code)
{
  Word word = begin_word (nft, "immediate");

  dn_netlink_put_be32 (nft->batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
  put_verdict (nft, NFTA_IMMEDIATE_DATA, code, NULL);
  end_word (nft, word);
}

void
dn_nft_accept (DnNft *nft)
{
  decide (nft, DN_NFT_ACCEPT);
}

void
dn_nft_drop (DnNft *nft)
{
  decide (nft, DN_NFT_DROP);
}

void
dn_nft_reject (DnNft *nft, bool is_tcp)
{
  Word word = begin_word (nft, "reject");

  dn_netlink_put_be32 (nft->batch, NFTA_REJECT_TYPE,
                       is_tcp ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMPX_UNREACH);
  dn_netlink_put_u8 (nft->batch, NFTA_REJECT_ICMP_CODE, NFT_REJECT_ICMPX_PORT_UNREACH);
  end_word (nft, word);
}

void
dn_nft_choose (DnNft *nft, bool is_output, const char *map)
{
  Word word;

  load_meta (nft, is_output ? NFT_META_OIFNAME : NFT_META_IIFNAME);
  word = begin_word (nft, "lookup");
  dn_netlink_put_text (nft->batch, NFTA_LOOKUP_SET, map);
  dn_netlink_put_be32 (nft->batch, NFTA_LOOKUP_SREG, REGISTER);
  dn_netlink_put_be32 (nft->batch, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
  end_word (nft, word);
}
