/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EDNS_OPTION_EDE 15

static const uint16_t asked_types[] = {
  LDNS_RR_TYPE_A,    LDNS_RR_TYPE_NS,    LDNS_RR_TYPE_CNAME, LDNS_RR_TYPE_SOA, LDNS_RR_TYPE_PTR,
  LDNS_RR_TYPE_MX,   LDNS_RR_TYPE_TXT,   LDNS_RR_TYPE_AAAA,  LDNS_RR_TYPE_SRV, LDNS_RR_TYPE_NAPTR,
  LDNS_RR_TYPE_TLSA, LDNS_RR_TYPE_SSHFP, LDNS_RR_TYPE_CAA,
};

static bool
is_hinting (uint16_t type)
{
  return type == LDNS_RR_TYPE_SVCB || type == LDNS_RR_TYPE_HTTPS;
}

void
dn_reply_clear (DnReply *reply)
{
  if (reply->answer != NULL)
    ldns_rr_list_deep_free (reply->answer);
  if (reply->soa != NULL)
    ldns_rr_free (reply->soa);
  *reply = (DnReply) DN_REPLY_INIT;
}

static void
print_name (const ldns_rdf *name, char ret_text[DN_DOMAIN_MAX_BYTES + 1])
{
  const uint8_t *wire = ldns_rdf_data (name);
  size_t size = ldns_rdf_size (name), used = 0;

  /* Wire is at most 255 bytes: one for each label, and one for the root. */
  for (size_t i = 0; i < size && wire[i] != 0; i += 1u + wire[i])
    {
      if (used > 0)
        ret_text[used++] = '.';
      for (size_t j = 1; j <= wire[i] && i + j < size && used < DN_DOMAIN_MAX_BYTES; j++)
        {
          unsigned char c = wire[i + j];

          ret_text[used++]
              = c < 0x80 && (isalnum (c) || c == '-' || c == '_') ? (char) tolower (c) : '?';
        }
      if (used >= DN_DOMAIN_MAX_BYTES)
        break;
    }
  ret_text[used] = '\0';
}

static uint16_t
read_u16 (const uint8_t *bytes)
{
  return (uint16_t) (bytes[0] << 8 | bytes[1]);
}

/* One question, no other record but one of EDNS: all that a query is made of, and looked at before
 * it is parsed. */
static bool
has_counts_of_a_query (const uint8_t *bytes)
{
  return read_u16 (bytes + 4) == 1 && read_u16 (bytes + 6) == 0 && read_u16 (bytes + 8) == 0
         && read_u16 (bytes + 10) <= 1;
}

static int
judge_type (uint16_t type)
{
  if (type == LDNS_RR_TYPE_AXFR || type == LDNS_RR_TYPE_IXFR)
    return LDNS_RCODE_REFUSED;
  for (size_t i = 0; i < sizeof asked_types / sizeof asked_types[0]; i++)
    if (asked_types[i] == type)
      return LDNS_RCODE_NOERROR;
  return is_hinting (type) ? LDNS_RCODE_NOERROR : LDNS_RCODE_NOTIMPL;
}

static int
read_query (const ldns_pkt *packet, DnQuery *query)
{
  const ldns_rr *question = ldns_rr_list_rr (ldns_pkt_question (packet), 0);
  const ldns_rdf *owner = question != NULL ? ldns_rr_owner (question) : NULL;

  if (owner == NULL || ldns_rdf_size (owner) > sizeof query->wire)
    return LDNS_RCODE_FORMERR;
  query->type = (uint16_t) ldns_rr_get_type (question);
  query->wire_bytes = (uint8_t) ldns_rdf_size (owner);
  memcpy (query->wire, ldns_rdf_data (owner), query->wire_bytes);
  print_name (owner, query->name);
  query->has_edns = ldns_pkt_edns (packet);
  if (query->has_edns)
    query->udp_bytes = ldns_pkt_edns_udp_size (packet);
  if (query->udp_bytes < DN_DNS_UDP_LEAST_BYTES)
    query->udp_bytes = DN_DNS_UDP_LEAST_BYTES;
  if (query->udp_bytes > DN_DNS_UDP_MOST_BYTES)
    query->udp_bytes = DN_DNS_UDP_MOST_BYTES;
  if (ldns_rr_get_class (question) != LDNS_RR_CLASS_IN)
    return LDNS_RCODE_REFUSED;
  return judge_type (query->type);
}

int
dn_query_parse (const uint8_t *bytes, size_t size, DnQuery *ret_query)
{
  ldns_pkt *packet = NULL;
  int result = LDNS_RCODE_FORMERR;

  memset (ret_query, 0, sizeof *ret_query);
  ret_query->udp_bytes = DN_DNS_UDP_LEAST_BYTES;
  if (size < DN_DNS_HEADER_BYTES || (bytes[2] & 0x80) != 0)
    return -EPROTO;
  ret_query->id = read_u16 (bytes);
  ret_query->wants_recursion = (bytes[2] & 0x01) != 0;
  if ((bytes[2] & 0x78) != 0)
    return LDNS_RCODE_NOTIMPL;
  if (size > DN_DNS_QUERY_MAX_BYTES || !has_counts_of_a_query (bytes))
    return LDNS_RCODE_FORMERR;
  if (ldns_wire2pkt (&packet, bytes, size) == LDNS_STATUS_OK)
    result = read_query (packet, ret_query);
  ldns_pkt_free (packet);
  return result;
}

/* Copies what was built, and frees it. */
static int
take_bytes (uint8_t *built, size_t size, size_t limit, uint8_t *ret_bytes)
{
  int result = size <= limit ? (int) size : -EMSGSIZE;

  if (result >= 0)
    memcpy (ret_bytes, built, size);
  free (built);
  return result;
}

static ldns_rdf *
query_owner (const DnQuery *query)
{
  return ldns_rdf_new_frm_data (LDNS_RDF_TYPE_DNAME, query->wire_bytes, query->wire);
}

int
dn_query_pack (const DnQuery *query, uint16_t id, bool has_edns,
               uint8_t ret_bytes[DN_DNS_QUERY_MAX_BYTES])
{
  ldns_rdf *owner = query_owner (query);
  ldns_pkt *packet = NULL;
  uint8_t *built = NULL;
  size_t size = 0;
  int result = -ENOMEM;

  if (owner != NULL)
    packet = ldns_pkt_query_new (owner, (ldns_rr_type) query->type, LDNS_RR_CLASS_IN, LDNS_RD);
  if (packet == NULL)
    {
      ldns_rdf_deep_free (owner);
      return -ENOMEM;
    }
  ldns_pkt_set_id (packet, id);
  if (has_edns)
    ldns_pkt_set_edns_udp_size (packet, DN_DNS_UDP_MOST_BYTES);
  if (ldns_pkt2wire (&built, packet, &size) == LDNS_STATUS_OK)
    result = take_bytes (built, size, DN_DNS_QUERY_MAX_BYTES, ret_bytes);
  ldns_pkt_free (packet);
  return result;
}

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

/* Pushes a copy. */
static bool
keep (DnReply *reply, const ldns_rr *record)
{
  uint32_t ttl = ldns_rr_ttl (record);
  ldns_rr *copy;

  if (reply->answer == NULL)
    reply->answer = ldns_rr_list_new ();
  if (reply->answer == NULL || ldns_rr_list_rr_count (reply->answer) >= DN_DNS_KEPT_MAX)
    return false;
  copy = ldns_rr_clone (record);
  if (copy == NULL || !ldns_rr_list_push_rr (reply->answer, copy))
    {
      ldns_rr_free (copy);
      return false;
    }
  /* RFC 2181, 8: with the highest bit it is 0. */
  if (ttl > INT32_MAX)
    ttl = 0;
  if (ttl > DN_DNS_TTL_MOST_S)
    ttl = DN_DNS_TTL_MOST_S;
  ldns_rr_set_ttl (copy, ttl);
  if (ttl < reply->ttl_s)
    reply->ttl_s = ttl;
  return true;
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
  else if (keep (reply, record))
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
      if (ldns_rr_rdf (alias, 0) == NULL || !keep (reply, alias))
        return NULL;
      owner = ldns_rr_rdf (alias, 0);
      print_name (owner, name);
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
        (void) keep (reply, record);
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

static void
set_rcode (DnReply *reply, uint8_t rcode, uint16_t ede)
{
  dn_reply_clear (reply);
  reply->rcode = rcode;
  reply->ede = ede;
  reply->ttl_s = DN_DNS_NEGATIVE_TTL_S;
}

static DnAnswerKind
read_answer (const DnTable *table, const DnQuery *query, const ldns_pkt *packet, DnReply *reply)
{
  const ldns_rr_list *records = ldns_pkt_answer (packet);
  ldns_rdf *first = query_owner (query);
  const ldns_rdf *last;

  if (first == NULL)
    return DN_ANSWER_FAILED;
  reply->ttl_s = DN_DNS_TTL_MOST_S;
  reply->rcode = (uint8_t) ldns_pkt_get_rcode (packet);
  last = query->type != LDNS_RR_TYPE_CNAME ? follow (table, records, first, reply) : first;
  if (last != NULL)
    keep_records (table, query, records, last, reply);
  else if (reply->ede == DN_EDE_PROHIBITED)
    set_rcode (reply, LDNS_RCODE_NXDOMAIN, DN_EDE_PROHIBITED);
  if (last != NULL && (reply->rcode == LDNS_RCODE_NXDOMAIN || reply->answer == NULL))
    keep_soa (ldns_pkt_authority (packet), reply);
  ldns_rdf_deep_free (first);
  return last != NULL || reply->ede == DN_EDE_PROHIBITED ? DN_ANSWER_GOOD : DN_ANSWER_FAILED;
}

/* What can be said before it is parsed. */
static DnAnswerKind
judge_header (const uint8_t *bytes, size_t size, uint16_t id)
{
  if (size < DN_DNS_HEADER_BYTES || read_u16 (bytes) != id || (bytes[2] & 0xf8) != 0x80)
    return DN_ANSWER_FOREIGN;
  if (size > DN_DNS_ANSWER_MAX_BYTES
      || read_u16 (bytes + 6) + read_u16 (bytes + 8) + read_u16 (bytes + 10) > DN_DNS_RECORDS_MAX)
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

/* A record of our own; takes @data. */
static void
add_own (DnReply *reply, const DnQuery *query, ldns_rdf *data)
{
  ldns_rr *record = ldns_rr_new ();
  ldns_rdf *owner = query_owner (query);

  if (record == NULL || owner == NULL || data == NULL)
    {
      ldns_rr_free (record);
      ldns_rdf_deep_free (owner);
      ldns_rdf_deep_free (data);
      return;
    }
  ldns_rr_set_owner (record, owner);
  ldns_rr_set_type (record, (ldns_rr_type) query->type);
  ldns_rr_set_class (record, LDNS_RR_CLASS_IN);
  ldns_rr_set_ttl (record, DN_DNS_CONTAINER_TTL_S);
  if (!ldns_rr_push_rdf (record, data))
    ldns_rdf_deep_free (data);
  (void) keep (reply, record);
  ldns_rr_free (record);
}

static void
add_address (DnReply *reply, const DnQuery *query, const uint8_t *address4, const uint8_t *address6)
{
  static const uint8_t none[DN_ADDRESS_BYTES] = { 0 };

  if (query->type == LDNS_RR_TYPE_A && memcmp (address4, none, 4) != 0)
    add_own (reply, query, ldns_rdf_new_frm_data (LDNS_RDF_TYPE_A, 4, address4));
  else if (query->type == LDNS_RR_TYPE_AAAA && memcmp (address6, none, 16) != 0)
    add_own (reply, query, ldns_rdf_new_frm_data (LDNS_RDF_TYPE_AAAA, 16, address6));
}

/* NAME.CONTEXT; NULL where that is no name. */
static ldns_rdf *
make_pointer (const DnContainerName *name)
{
  char text[2 * DN_CONTAINER_NAME_BYTES + 3];

  (void) snprintf (text, sizeof text, "%s.%s.", name->name, name->context);
  return ldns_dname_new_frm_str (text);
}

static void
answer_container (const DnTable *table, const DnQuery *query, DnReply *reply)
{
  const DnContainerName *found[DN_ADDRESSES_MAX], *pointed;
  size_t count = dn_table_find (table, query->name, found);
  uint8_t family, address[DN_ADDRESS_BYTES];

  reply->ttl_s = DN_DNS_CONTAINER_TTL_S;
  for (size_t i = 0; i < count; i++)
    add_address (reply, query, found[i]->address4, found[i]->address6);
  if (count > 0 || query->type != LDNS_RR_TYPE_PTR
      || !dn_reverse_parse (query->name, &family, address))
    return;
  pointed = dn_table_find_address (table, family, address);
  if (pointed != NULL)
    add_own (reply, query, make_pointer (pointed));
}

bool
dn_reply_make (const DnTable *table, const DnQuery *query, DnReply *ret_reply, DnLists *ret_lists)
{
  static const uint8_t loopback4[4] = { 127, 0, 0, 1 };
  static const uint8_t loopback6[16] = { [15] = 1 };

  *ret_reply = (DnReply) DN_REPLY_INIT;
  switch (dn_table_judge (table, query->name, ret_lists))
    {
    case DN_NAME_OF_CONTAINER:
      answer_container (table, query, ret_reply);
      return true;
    case DN_NAME_OF_LOOPBACK:
      ret_reply->ttl_s = DN_DNS_CONTAINER_TTL_S;
      add_address (ret_reply, query, loopback4, loopback6);
      return true;
    case DN_NAME_UNKNOWN:
      set_rcode (ret_reply, LDNS_RCODE_NXDOMAIN, DN_EDE_NONE);
      return true;
    case DN_NAME_REFUSED:
      /* Not REFUSED: some libraries go on waiting for another server then. */
      set_rcode (ret_reply, LDNS_RCODE_NXDOMAIN, DN_EDE_PROHIBITED);
      return true;
    case DN_NAME_ASK:
      break;
    }
  if (!is_hinting (query->type))
    return false;
  set_rcode (ret_reply, LDNS_RCODE_NOERROR, DN_EDE_NONE);
  return true;
}

static bool
push_question (ldns_pkt *packet, const DnQuery *query)
{
  ldns_rdf *owner = query->wire_bytes > 0 ? query_owner (query) : NULL;
  ldns_rr *question = owner != NULL ? ldns_rr_new () : NULL;

  if (query->wire_bytes == 0) /* it could not be read */
    return true;
  if (question == NULL)
    {
      ldns_rdf_deep_free (owner);
      return false;
    }
  ldns_rr_set_question (question, true);
  ldns_rr_set_owner (question, owner);
  ldns_rr_set_type (question, (ldns_rr_type) query->type);
  ldns_rr_set_class (question, LDNS_RR_CLASS_IN);
  if (ldns_pkt_push_rr (packet, LDNS_SECTION_QUESTION, question))
    return true;
  ldns_rr_free (question);
  return false;
}

static bool
push_copy (ldns_pkt *packet, ldns_pkt_section section, const ldns_rr *record, uint32_t age_s)
{
  ldns_rr *copy = ldns_rr_clone (record);
  uint32_t ttl = ldns_rr_ttl (record);

  if (copy == NULL)
    return false;
  ldns_rr_set_ttl (copy, ttl > age_s ? ttl - age_s : 0);
  if (ldns_pkt_push_rr (packet, section, copy))
    return true;
  ldns_rr_free (copy);
  return false;
}

static bool
push_edns (ldns_pkt *packet, uint16_t ede)
{
  const uint8_t data[2] = { (uint8_t) (ede >> 8), (uint8_t) ede };
  ldns_edns_option_list *list;
  ldns_edns_option *option;

  ldns_pkt_set_edns_udp_size (packet, DN_DNS_UDP_MOST_BYTES);
  if (ede == DN_EDE_NONE)
    return true;
  list = ldns_edns_option_list_new ();
  option = ldns_edns_new_from_data ((ldns_edns_option_code) EDNS_OPTION_EDE, sizeof data, data);
  if (list == NULL || option == NULL || !ldns_edns_option_list_push (list, option))
    {
      ldns_edns_deep_free (option);
      ldns_edns_option_list_deep_free (list);
      return false;
    }
  ldns_pkt_set_edns_option_list (packet, list);
  return true;
}

static ldns_pkt *
build (const DnQuery *query, const DnReply *reply, uint32_t age_s, bool is_cut)
{
  ldns_pkt *packet = ldns_pkt_new ();
  bool is_fine = packet != NULL;

  if (packet == NULL)
    return NULL;
  ldns_pkt_set_id (packet, query->id);
  ldns_pkt_set_qr (packet, true);
  ldns_pkt_set_rd (packet, query->wants_recursion);
  ldns_pkt_set_ra (packet, true);
  ldns_pkt_set_tc (packet, is_cut);
  ldns_pkt_set_rcode (packet, (ldns_pkt_rcode) reply->rcode);
  is_fine = push_question (packet, query);
  for (size_t i = 0;
       is_fine && !is_cut && reply->answer != NULL && i < ldns_rr_list_rr_count (reply->answer);
       i++)
    is_fine = push_copy (packet, LDNS_SECTION_ANSWER, ldns_rr_list_rr (reply->answer, i), age_s);
  if (is_fine && !is_cut && reply->soa != NULL)
    is_fine = push_copy (packet, LDNS_SECTION_AUTHORITY, reply->soa, age_s);
  if (is_fine && query->has_edns)
    is_fine = push_edns (packet, reply->ede);
  if (is_fine)
    return packet;
  ldns_pkt_free (packet);
  return NULL;
}

int
dn_reply_pack (const DnQuery *query, const DnReply *reply, uint32_t age_s, size_t limit,
               uint8_t *ret_bytes)
{
  int result = -EMSGSIZE;

  for (int is_cut = 0; is_cut <= 1 && result == -EMSGSIZE; is_cut++)
    {
      ldns_pkt *packet = build (query, reply, age_s, is_cut);
      uint8_t *built = NULL;
      size_t size = 0;

      result = -ENOMEM;
      if (packet != NULL && ldns_pkt2wire (&built, packet, &size) == LDNS_STATUS_OK)
        result = take_bytes (built, size, limit, ret_bytes);
      ldns_pkt_free (packet);
    }
  return result;
}
