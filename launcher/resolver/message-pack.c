/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "message-parts.h"

#define EDNS_OPTION_EDE 15

static bool
push_question (ldns_pkt *packet, const DnQuery *query)
{
  ldns_rdf *owner = query->wire_bytes > 0 ? dn_message_owner (query) : NULL;
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
        result = dn_message_take (built, size, limit, ret_bytes);
      ldns_pkt_free (packet);
    }
  return result;
}
