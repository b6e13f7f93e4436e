/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a guest's time is over, by the limits of its context.  Pure. */
#pragma once

#include "../spec/terms.h"

typedef enum
{
  DN_LIFETIME_GOES_ON,
  DN_LIFETIME_IDLE,
  DN_LIFETIME_OVER,
} DnLifetime;

/* All times of one clock; @guest_since_us: 0: there is no guest; @idle_since_us: 0: somebody is in
 * it. */
DnLifetime dn_lifetime_judge (const DnTerms *terms, gint64 guest_since_us, gint64 idle_since_us,
                              gint64 now_us);
