/* SPDX-License-Identifier: Apache-2.0 */
#include "bucket.h"

#define NS_PER_S 1000000000u

void
dn_bucket_init (DnBucket *bucket, uint64_t rate_per_s, uint64_t burst, uint64_t now_ns)
{
  *bucket
      = (DnBucket){ .rate_per_s = rate_per_s, .burst = burst, .tokens = burst, .at_ns = now_ns };
}

uint64_t
dn_bucket_level (DnBucket *bucket, uint64_t now_ns)
{
  uint64_t elapsed = now_ns > bucket->at_ns ? now_ns - bucket->at_ns : 0;
  uint64_t missing = bucket->burst - bucket->tokens;
  __uint128_t earned = (__uint128_t) elapsed * bucket->rate_per_s / NS_PER_S;

  if (bucket->rate_per_s == 0)
    return UINT64_MAX;
  if (earned >= missing)
    {
      bucket->tokens = bucket->burst;
      bucket->at_ns = now_ns;
    }
  else if (earned > 0)
    {
      /* Only the time that became whole tokens is used up, or frequent calls would earn nothing. */
      bucket->tokens += (uint64_t) earned;
      bucket->at_ns += (uint64_t) (earned * NS_PER_S / bucket->rate_per_s);
    }
  return bucket->tokens;
}

bool
dn_bucket_take (DnBucket *bucket, uint64_t amount, uint64_t now_ns)
{
  uint64_t level = dn_bucket_level (bucket, now_ns);

  if (bucket->rate_per_s == 0)
    return true;
  if (amount > level && level < bucket->burst)
    return false;
  bucket->tokens -= amount < level ? amount : level;
  return true;
}

void
dn_bucket_charge (DnBucket *bucket, uint64_t amount, uint64_t now_ns)
{
  uint64_t level = dn_bucket_level (bucket, now_ns);

  if (bucket->rate_per_s != 0)
    bucket->tokens -= amount < level ? amount : level;
}
