/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <string.h>

#define NS_PER_S 1000000000ull

static void
drop (DnCached *cached)
{
  dn_reply_clear (&cached->reply);
  cached->ends_ns = 0;
}

const DnReply *
dn_cache_find (DnResolver *resolver, const DnQuery *query, uint32_t *ret_age_s)
{
  for (size_t i = 0; i < DN_RESOLVER_CACHE_MAX; i++)
    {
      DnCached *cached = &resolver->cache[i];

      if (cached->ends_ns == 0 || cached->query.type != query->type
          || strcmp (cached->query.name, query->name) != 0
          || cached->query.wire_bytes != query->wire_bytes)
        continue;
      if (cached->ends_ns <= resolver->loop.now_ns)
        {
          drop (cached);
          return NULL;
        }
      *ret_age_s = (uint32_t) ((resolver->loop.now_ns - cached->stored_ns) / NS_PER_S);
      return &cached->reply;
    }
  return NULL;
}

static size_t
measure (const DnReply *reply)
{
  size_t size = reply->soa != NULL ? ldns_rr_uncompressed_size (reply->soa) : 0;

  for (size_t i = 0; reply->answer != NULL && i < ldns_rr_list_rr_count (reply->answer); i++)
    size += ldns_rr_uncompressed_size (ldns_rr_list_rr (reply->answer, i));
  return size;
}

void
dn_cache_keep (DnResolver *resolver, const DnQuery *query, DnReply *reply)
{
  DnCached *cached = &resolver->cache[resolver->cache_next];
  /* A name with bytes that its text does not show would be taken for another. */
  if (reply->ttl_s == 0 || strchr (query->name, '?') != NULL
      || measure (reply) > DN_RESOLVER_CACHE_ANSWER_BYTES)
    {
      dn_reply_clear (reply);
      return;
    }
  resolver->cache_next = (resolver->cache_next + 1) % DN_RESOLVER_CACHE_MAX;
  drop (cached);
  cached->query = *query;
  cached->reply = *reply;
  cached->stored_ns = resolver->loop.now_ns;
  cached->ends_ns = resolver->loop.now_ns + reply->ttl_s * NS_PER_S;
  *reply = (DnReply) DN_REPLY_INIT;
}

void
dn_cache_clear (DnResolver *resolver)
{
  for (size_t i = 0; i < DN_RESOLVER_CACHE_MAX; i++)
    drop (&resolver->cache[i]);
}
