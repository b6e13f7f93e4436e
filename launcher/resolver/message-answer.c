/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "message-parts.h"

static bool
is_same_name (const ldns_rdf *name, const uint8_t *wire, size_t size)
{
  const uint8_t *other = ldns_rdf_data (name);

  if (ldns_rdf_size (name) != size)
    return false;
  /* Lengths of labels are below 'A', so that this is not their matter. */
  for (size_t i = 0; i < size; i++)
    if (tolower (other[i]) != tolower (wire[i]))
      return false;
  return true;
}

static bool
is_answer_to (const ldns_pkt *packet, const DnQuery *query)
{
  const ldns_rr_list *questions = ldns_pkt_question (packet);
  const ldns_rr *question = ldns_rr_list_rr (questions, 0);

  return ldns_rr_list_rr_count (questions) == 1 && ldns_rr_owner (question) != NULL
         && ldns_rr_get_type (question) == (ldns_rr_type) query->type
         && ldns_rr_get_class (question) == LDNS_RR_CLASS_IN
         && is_same_name (ldns_rr_owner (question), query->wire, query->wire_bytes);
}

static bool
is_record (const ldns_rr *record, ldns_rr_type type, const ldns_rdf *owner)
{
  return ldns_rr_get_type (record) == type && ldns_rr_get_class (record) == LDNS_RR_CLASS_IN
         && ldns_rr_owner (record) != NULL
         && is_same_name (ldns_rr_owner (record), ldns_rdf_data (owner), ldns_rdf_size (owner));
}

static void
keep_address (const DnTable *table, DnReply *reply, const ldns_rr *record, uint8_t family)
{
  const ldns_rdf *data = ldns_rr_rdf (record, 0);
  size_t size = family == 4 ? 4 : 16;
  DnAnswerAddress address = { .family = family };

  if (data == NULL || ldns_rdf_size (data) != size || reply->address_count == DN_ADDRESSES_MAX)
    return;
  memcpy (address.address, ldns_rdf_data (data), size);
  if (!dn_table_takes_address (table, family, address.address))
    reply->rebound++;
  else if (dn_message_keep (reply, record))
    reply->addresses[reply->address_count++] = address;
}

/* The CNAME of @owner among @records, or NULL. */
static const ldns_rr *
find_alias (const ldns_rr_list *records, const ldns_rdf *owner)
{
  for (size_t i = 0; i < ldns_rr_list_rr_count (records); i++)
    if (is_record (ldns_rr_list_rr (records, i), LDNS_RR_TYPE_CNAME, owner))
      return ldns_rr_list_rr (records, i);
  return NULL;
}

/* Follows CNAMEs from the question's name on.  Returns: the name at the end (borrowed); NULL: a
 * name on the way is denied, or there are too many */
static const ldns_rdf *
follow (const DnTable *table, const ldns_rr_list *records, const ldns_rdf *owner, DnReply *reply)
{
  for (unsigned hops = 0; hops <= DN_DNS_CHAIN_MAX; hops++)
    {
      const ldns_rr *alias = find_alias (records, owner);
      char name[DN_DOMAIN_MAX_BYTES + 1];

      if (alias == NULL)
        return owner;
      if (ldns_rr_rdf (alias, 0) == NULL || !dn_message_keep (reply, alias))
        return NULL;
      owner = ldns_rr_rdf (alias, 0);
      dn_message_print_name (owner, name);
      if (dn_table_denies (table, name))
        {
          reply->ede = DN_EDE_PROHIBITED;
          return NULL;
        }
    }
  return NULL;
}

static void
keep_records (const DnTable *table, const DnQuery *query, const ldns_rr_list *records,
              const ldns_rdf *owner, DnReply *reply)
{
  for (size_t i = 0; i < ldns_rr_list_rr_count (records); i++)
    {
      const ldns_rr *record = ldns_rr_list_rr (records, i);

      if (!is_record (record, (ldns_rr_type) query->type, owner))
        continue;
      if (query->type == LDNS_RR_TYPE_A)
        keep_address (table, reply, record, 4);
      else if (query->type == LDNS_RR_TYPE_AAAA)
        keep_address (table, reply, record, 6);
      else
        (void) dn_message_keep (reply, record);
    }
  if (reply->rebound > 0)
    reply->ede = DN_EDE_FILTERED;
}

/* How long a name may be taken for missing: RFC 2308, 5. */
static void
keep_soa (const ldns_rr_list *records, DnReply *reply)
{
  uint32_t ttl = DN_DNS_NEGATIVE_TTL_S;

  for (size_t i = 0; i < ldns_rr_list_rr_count (records) && reply->soa == NULL; i++)
    {
      const ldns_rr *record = ldns_rr_list_rr (records, i);

      if (ldns_rr_get_type (record) != LDNS_RR_TYPE_SOA || ldns_rr_rdf (record, 6) == NULL
          || ldns_rdf_size (ldns_rr_rdf (record, 6)) != 4)
        continue;
      reply->soa = ldns_rr_clone (record);
      ttl = ldns_rdf2native_int32 (ldns_rr_rdf (record, 6));
      if (ldns_rr_ttl (record) < ttl)
        ttl = ldns_rr_ttl (record);
      if (ttl > DN_DNS_NEGATIVE_TTL_MOST_S)
        ttl = DN_DNS_NEGATIVE_TTL_MOST_S;
      if (reply->soa != NULL)
        ldns_rr_set_ttl (reply->soa, ttl);
    }
  if (ttl < reply->ttl_s)
    reply->ttl_s = ttl;
}

static DnAnswerKind
read_answer (const DnTable *table, const DnQuery *query, const ldns_pkt *packet, DnReply *reply)
{
  const ldns_rr_list *records = ldns_pkt_answer (packet);
  ldns_rdf *first = dn_message_owner (query);
  const ldns_rdf *last;

  if (first == NULL)
    return DN_ANSWER_FAILED;
  reply->ttl_s = DN_DNS_TTL_MOST_S;
  reply->rcode = (uint8_t) ldns_pkt_get_rcode (packet);
  last = query->type != LDNS_RR_TYPE_CNAME ? follow (table, records, first, reply) : first;
  if (last != NULL)
    keep_records (table, query, records, last, reply);
  else if (reply->ede == DN_EDE_PROHIBITED)
    dn_message_set_rcode (reply, LDNS_RCODE_NXDOMAIN, DN_EDE_PROHIBITED);
  if (last != NULL && (reply->rcode == LDNS_RCODE_NXDOMAIN || reply->answer == NULL))
    keep_soa (ldns_pkt_authority (packet), reply);
  ldns_rdf_deep_free (first);
  return last != NULL || reply->ede == DN_EDE_PROHIBITED ? DN_ANSWER_GOOD : DN_ANSWER_FAILED;
}

/* What can be said before it is parsed. */
static DnAnswerKind
judge_header (const uint8_t *bytes, size_t size, uint16_t id)
{
  if (size < DN_DNS_HEADER_BYTES || dn_message_read_u16 (bytes) != id || (bytes[2] & 0xf8) != 0x80)
    return DN_ANSWER_FOREIGN;
  if (size > DN_DNS_ANSWER_MAX_BYTES
      || dn_message_read_u16 (bytes + 6) + dn_message_read_u16 (bytes + 8)
                 + dn_message_read_u16 (bytes + 10)
             > DN_DNS_RECORDS_MAX)
    return DN_ANSWER_FAILED;
  return DN_ANSWER_GOOD;
}

static DnAnswerKind
judge_packet (const ldns_pkt *packet, const DnQuery *query)
{
  ldns_pkt_rcode rcode = ldns_pkt_get_rcode (packet);
  bool has_question = ldns_rr_list_rr_count (ldns_pkt_question (packet)) > 0;

  /* A server that could not read the query may leave the question out. */
  if ((rcode == LDNS_RCODE_FORMERR || rcode == LDNS_RCODE_NOTIMPL)
      && (!has_question || is_answer_to (packet, query)))
    return DN_ANSWER_OLD;
  if (!is_answer_to (packet, query))
    return DN_ANSWER_FOREIGN;
  if (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN)
    return DN_ANSWER_FAILED;
  return ldns_pkt_tc (packet) ? DN_ANSWER_CUT : DN_ANSWER_GOOD;
}

DnAnswerKind
dn_answer_read (const DnTable *table, const DnQuery *query, uint16_t id, const uint8_t *bytes,
                size_t size, DnReply *ret_reply)
{
  DnAnswerKind kind = judge_header (bytes, size, id);
  ldns_pkt *packet = NULL;

  *ret_reply = (DnReply) DN_REPLY_INIT;
  if (kind != DN_ANSWER_GOOD)
    return kind;
  /* One that does not parse may be a forger's: the right one can still come. */
  if (ldns_wire2pkt (&packet, bytes, size) != LDNS_STATUS_OK)
    kind = (bytes[2] & 0x02) != 0 ? DN_ANSWER_CUT : DN_ANSWER_FOREIGN;
  else
    kind = judge_packet (packet, query);
  if (kind == DN_ANSWER_GOOD)
    kind = read_answer (table, query, packet, ret_reply);
  if (kind != DN_ANSWER_GOOD)
    dn_reply_clear (ret_reply);
  ldns_pkt_free (packet);
  return kind;
}
