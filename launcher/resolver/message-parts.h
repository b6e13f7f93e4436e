/* SPDX-License-Identifier: Apache-2.0 */
/* What queries, answers and replies (message.h) have in common; for these files alone.
 *
 *     message-query.c    from a guest, and for a server
 *     message-answer.c   a server's, of which a reply is made
 *     message-reply.c    made here, without asking anybody
 *     message-pack.c     for the guest
 */
#pragma once

#include "message.h"

/* Types that carry addresses which no rule of the firewall would be made for. */
bool dn_message_is_hinting (uint16_t type);

/* Lower case, without a dot at the end; '?' for bytes that no host's name has. */
void dn_message_print_name (const ldns_rdf *name, char ret_text[DN_DOMAIN_MAX_BYTES + 1]);

/* Of the network's order. */
uint16_t dn_message_read_u16 (const uint8_t *bytes);

/* Copies what was built, and frees it.  Returns: its size; -EMSGSIZE */
int dn_message_take (uint8_t *built, size_t size, size_t limit, uint8_t *ret_bytes);

/* The name that is asked for. (transfer full): or NULL */
ldns_rdf *dn_message_owner (const DnQuery *query);

/* Pushes a copy of @record, with a life that a reply may have; false: there is no room. */
bool dn_message_keep (DnReply *reply, const ldns_rr *record);

/* Makes @reply one without records. */
void dn_message_set_rcode (DnReply *reply, uint8_t rcode, uint16_t ede);
