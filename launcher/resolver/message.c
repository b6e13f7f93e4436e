/* SPDX-License-Identifier: Apache-2.0 */
#include "message-parts.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
dn_message_is_hinting (uint16_t type)
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

void
dn_message_print_name (const ldns_rdf *name, char ret_text[DN_DOMAIN_MAX_BYTES + 1])
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

uint16_t
dn_message_read_u16 (const uint8_t *bytes)
{
  return (uint16_t) (bytes[0] << 8 | bytes[1]);
}

int
dn_message_take (uint8_t *built, size_t size, size_t limit, uint8_t *ret_bytes)
{
  int result = size <= limit ? (int) size : -EMSGSIZE;

  if (result >= 0)
    memcpy (ret_bytes, built, size);
  free (built);
  return result;
}

ldns_rdf *
dn_message_owner (const DnQuery *query)
{
  return ldns_rdf_new_frm_data (LDNS_RDF_TYPE_DNAME, query->wire_bytes, query->wire);
}

bool
dn_message_keep (DnReply *reply, const ldns_rr *record)
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

void
dn_message_set_rcode (DnReply *reply, uint8_t rcode, uint16_t ede)
{
  dn_reply_clear (reply);
  reply->rcode = rcode;
  reply->ede = ede;
  reply->ttl_s = DN_DNS_NEGATIVE_TTL_S;
}
