/* SPDX-License-Identifier: Apache-2.0 */
/* What of the table is really in the kernel. */
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <string.h>

#include "autofd.h"
#include "nft.h"

typedef struct
{
  const char *name;  /* a chain, or a map's key */
  const char *chain; /* what the key must lead to */
  int count;
} Look;

static const struct nlattr *
find (const struct nlmsghdr *message, uint16_t type)
{
  const size_t header = NLMSG_LENGTH (sizeof (struct nfgenmsg));

  return message->nlmsg_len < header ? NULL
                                     : dn_netlink_find ((const uint8_t *) message + header,
                                                        message->nlmsg_len - header, type);
}

static const struct nlattr *
find_in (const struct nlattr *nest, uint16_t type)
{
  return nest == NULL ? NULL
                      : dn_netlink_find (dn_netlink_value (nest), dn_netlink_size (nest), type);
}

static bool
is_text (const struct nlattr *attribute, const char *text)
{
  return attribute != NULL && dn_netlink_size (attribute) == strlen (text) + 1
         && memcmp (dn_netlink_value (attribute), text, strlen (text)) == 0;
}

/* Asks for all @message of the table, with @name in attribute @type where there is one. */
static void
look (DnNetlinkBatch *batch, unsigned message, uint16_t table_type, uint16_t type, const char *name,
      DnNetlinkFunc take, Look *data)
{
  const struct nfgenmsg header = { .nfgen_family = DN_NFT_FAMILY_INET, .version = NFNETLINK_V0 };
  dn_autofd int fd = dn_netlink_open (NETLINK_NETFILTER);

  dn_netlink_clear (batch);
  dn_netlink_begin (batch, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | message), NLM_F_DUMP, &header,
                    sizeof header);
  dn_netlink_put_text (batch, table_type, DN_NFT_TABLE);
  if (name != NULL)
    dn_netlink_put_text (batch, type, name);
  if (fd < 0 || dn_netlink_dump (fd, batch, take, data) < 0)
    data->count = -1;
}

static void
take_hook (const struct nlmsghdr *message, void *data)
{
  Look *wanted = data;
  const struct nlattr *policy = find (message, NFTA_CHAIN_POLICY);
  uint32_t value = UINT32_MAX;

  if (!is_text (find (message, NFTA_CHAIN_TABLE), DN_NFT_TABLE)
      || !is_text (find (message, NFTA_CHAIN_NAME), wanted->name)
      || find (message, NFTA_CHAIN_HOOK) == NULL || policy == NULL
      || dn_netlink_size (policy) != sizeof value)
    return;
  memcpy (&value, dn_netlink_value (policy), sizeof value);
  wanted->count += ntohl (value) == DN_NFT_DROP;
}

bool
dn_nft_drops (DnNetlinkBatch *batch, const char *chain)
{
  Look wanted = { .name = chain };

  look (batch, NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE, 0, NULL, take_hook, &wanted);
  return wanted.count == 1;
}

static void
take_rule (const struct nlmsghdr *message, void *data)
{
  Look *wanted = data;

  wanted->count += is_text (find (message, NFTA_RULE_CHAIN), wanted->name);
}

int
dn_nft_count_rules (DnNetlinkBatch *batch, const char *chain)
{
  Look wanted = { .name = chain };

  look (batch, NFT_MSG_GETRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, chain, take_rule, &wanted);
  return wanted.count;
}

static void
take_entries (const struct nlmsghdr *message, void *data)
{
  Look *wanted = data;
  const struct nlattr *list = find (message, NFTA_SET_ELEM_LIST_ELEMENTS);
  const uint8_t *at = list != NULL ? dn_netlink_value (list) : NULL;
  size_t size = list != NULL ? dn_netlink_size (list) : 0;

  while (size >= (size_t) NLA_HDRLEN)
    {
      const struct nlattr *entry = (const struct nlattr *) (const void *) at;
      size_t whole = NLA_ALIGN (entry->nla_len);
      const struct nlattr *key, *verdict;

      if (entry->nla_len < NLA_HDRLEN || whole > size)
        return;
      key = find_in (find_in (entry, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
      verdict = find_in (find_in (entry, NFTA_SET_ELEM_DATA), NFTA_DATA_VERDICT);
      wanted->count += key != NULL && dn_netlink_size (key) == IF_NAMESIZE
                       && strncmp (dn_netlink_value (key), wanted->name, IF_NAMESIZE) == 0
                       && is_text (find_in (verdict, NFTA_VERDICT_CHAIN), wanted->chain);
      at += whole;
      size -= whole;
    }
}

bool
dn_nft_leads_to (DnNetlinkBatch *batch, const char *map, const char *card, const char *chain)
{
  Look wanted = { .name = card, .chain = chain };

  look (batch, NFT_MSG_GETSETELEM, NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET, map,
        take_entries, &wanted);
  return wanted.count == 1;
}
