/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "message-parts.h"

static const uint16_t asked_types[] = {
  LDNS_RR_TYPE_A,    LDNS_RR_TYPE_NS,    LDNS_RR_TYPE_CNAME, LDNS_RR_TYPE_SOA, LDNS_RR_TYPE_PTR,
  LDNS_RR_TYPE_MX,   LDNS_RR_TYPE_TXT,   LDNS_RR_TYPE_AAAA,  LDNS_RR_TYPE_SRV, LDNS_RR_TYPE_NAPTR,
  LDNS_RR_TYPE_TLSA, LDNS_RR_TYPE_SSHFP, LDNS_RR_TYPE_CAA,
};

/* One question, no other record but one of EDNS: all that a query is made of, and looked at before
 * it is parsed. */
static bool
has_counts_of_a_query (const uint8_t *bytes)
{
  return dn_message_read_u16 (bytes + 4) == 1 && dn_message_read_u16 (bytes + 6) == 0
         && dn_message_read_u16 (bytes + 8) == 0 && dn_message_read_u16 (bytes + 10) <= 1;
}

static int
judge_type (uint16_t type)
{
  if (type == LDNS_RR_TYPE_AXFR || type == LDNS_RR_TYPE_IXFR)
    return LDNS_RCODE_REFUSED;
  for (size_t i = 0; i < sizeof asked_types / sizeof asked_types[0]; i++)
    if (asked_types[i] == type)
      return LDNS_RCODE_NOERROR;
  return dn_message_is_hinting (type) ? LDNS_RCODE_NOERROR : LDNS_RCODE_NOTIMPL;
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
  dn_message_print_name (owner, query->name);
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
  ret_query->id = dn_message_read_u16 (bytes);
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

int
dn_query_pack (const DnQuery *query, uint16_t id, bool has_edns,
               uint8_t ret_bytes[DN_DNS_QUERY_MAX_BYTES])
{
  ldns_rdf *owner = dn_message_owner (query);
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
    result = dn_message_take (built, size, DN_DNS_QUERY_MAX_BYTES, ret_bytes);
  ldns_pkt_free (packet);
  return result;
}
