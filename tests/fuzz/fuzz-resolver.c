/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/resolver/table.c launcher/resolver/message*.c launcher/base/network-rule.c
   launcher/base/public-address.c launcher/base/resolver-control.c protocol/*.c */
/* Packages: -lldns */

/* A guest's query and a server's answer to it.  The first byte says how long the query is; the
 * answer gets the id and the question that belong to it, so that more of it is read. */
#include <stdlib.h>
#include <string.h>

#include "../../launcher/resolver/message.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static DnTable table;

static void
add (const char *text, uint8_t is_allow, uint8_t list)
{
  DnNetworkRule rule;
  DnMsgResolverRule message = { .is_allow = is_allow, .list = list };

  if (dn_network_rule_parse (text, &rule) != NULL)
    abort ();
  message.kind = rule.kind;
  message.is_below = rule.is_below;
  memcpy (message.domain, rule.domain, sizeof message.domain);
  message.opens_special = rule.opens_special;
  message.family = rule.family;
  message.prefix = rule.prefix;
  memcpy (message.address, rule.address, sizeof message.address);
  if (dn_table_add_rule (&table, &message) < 0)
    abort ();
}

static void
pack (const DnQuery *query, const DnReply *reply)
{
  static uint8_t bytes[65535];
  static const size_t limits[] = { 512, 1232, sizeof bytes };

  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
    {
      int size = dn_reply_pack (query, reply, 1, limits[i], bytes);

      if (size > (int) limits[i] || (size < 0 && limits[i] == sizeof bytes))
        abort ();
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  uint8_t asked[DN_DNS_QUERY_MAX_BYTES], answer[4096];
  size_t query_size = size > 0 ? data[0] : 0;
  DnReply reply;
  DnQuery query;
  DnLists lists;
  int r;

  if (size < 1 + query_size || size > sizeof answer)
    return 0;
  if (!table.has_public)
    {
      const DnMsgResolverName name = { .name = "db", .context = "x", .address4 = { 10, 0, 0, 1 } };

      table.has_public = true;
      (void) dn_table_add_name (&table, &name);
      add ("*.evil.org", 0, 0);
      add ("10.0.0.0/8", 1, 0);
    }
  r = dn_query_parse (data + 1, query_size, &query);
  if (r < 0)
    return 0;
  if (r != LDNS_RCODE_NOERROR)
    {
      reply = (DnReply) DN_REPLY_INIT;
      reply.rcode = (uint8_t) r;
      pack (&query, &reply);
      return 0;
    }
  if (dn_reply_make (&table, &query, &reply, &lists))
    {
      pack (&query, &reply);
      dn_reply_clear (&reply);
      return 0;
    }
  r = dn_query_pack (&query, 0x1234, true, asked);
  if (r < 0)
    abort ();
  size -= 1 + query_size;
  memcpy (answer, data + 1 + query_size, size);
  if (size > 2)
    memcpy (answer, asked, 2);
  /* Header of the input, question of ours. */
  if (size > (size_t) r)
    memcpy (answer + DN_DNS_HEADER_BYTES, asked + DN_DNS_HEADER_BYTES,
            (size_t) query.wire_bytes + 4);
  if (dn_answer_read (&table, &query, 0x1234, answer, size, &reply) != DN_ANSWER_GOOD)
    return 0;
  for (size_t i = 0; i < reply.address_count; i++)
    if (!dn_table_takes_address (&table, reply.addresses[i].family, reply.addresses[i].address))
      abort ();
  if (reply.ttl_s > DN_DNS_TTL_MOST_S)
    abort ();
  pack (&query, &reply);
  dn_reply_clear (&reply);
  return 0;
}
