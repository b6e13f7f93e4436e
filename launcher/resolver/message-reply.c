/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "message-parts.h"

/* A record of our own; takes @data. */
static void
add_own (DnReply *reply, const DnQuery *query, ldns_rdf *data)
{
  ldns_rr *record = ldns_rr_new ();
  ldns_rdf *owner = dn_message_owner (query);

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
  (void) dn_message_keep (reply, record);
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
      dn_message_set_rcode (ret_reply, LDNS_RCODE_NXDOMAIN, DN_EDE_NONE);
      return true;
    case DN_NAME_REFUSED:
      /* Not REFUSED: some libraries go on waiting for another server then. */
      dn_message_set_rcode (ret_reply, LDNS_RCODE_NXDOMAIN, DN_EDE_PROHIBITED);
      return true;
    case DN_NAME_ASK:
      break;
    }
  if (!dn_message_is_hinting (query->type))
    return false;
  dn_message_set_rcode (ret_reply, LDNS_RCODE_NOERROR, DN_EDE_NONE);
  return true;
}
