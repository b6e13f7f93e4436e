/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of servers, kept for their time: few, and small ones only; the oldest makes room.
 *
 * What is kept went through the rules of the table that holds: a new table begins with none.
 */
#pragma once

#include "resolver.h"

/* (borrowed): valid until the next call here; or NULL.  @ret_age_s: since it was kept */
const DnReply *dn_cache_find (DnResolver *resolver, const DnQuery *query, uint32_t *ret_age_s);

/* Takes what is in @reply, or clears it; @reply is empty afterwards. */
void dn_cache_keep (DnResolver *resolver, const DnQuery *query, DnReply *reply);

void dn_cache_clear (DnResolver *resolver);
