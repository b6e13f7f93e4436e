/* SPDX-License-Identifier: Apache-2.0 */
/* A token bucket: how much of something may happen now.
 *
 * It starts full.  Pure: the caller brings the time, from any monotonic clock, in nanoseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct
{
  uint64_t rate_per_s; /* 0: no limit */
  uint64_t burst;
  uint64_t tokens;
  uint64_t at_ns; /* up to when the tokens were counted */
} DnBucket;

void dn_bucket_init (DnBucket *bucket, uint64_t rate_per_s, uint64_t burst, uint64_t now_ns);

/* Takes @amount if there is as much; an amount over the burst is taken from a full bucket. */
bool dn_bucket_take (DnBucket *bucket, uint64_t amount, uint64_t now_ns);

/* Takes @amount in any case, down to none: for what has happened already. */
void dn_bucket_charge (DnBucket *bucket, uint64_t amount, uint64_t now_ns);

/* How many tokens there are now. */
uint64_t dn_bucket_level (DnBucket *bucket, uint64_t now_ns);
