/* SPDX-License-Identifier: Apache-2.0 */
#include "lifetime-judge.h"

static gboolean
is_over (guint64 limit_s, gint64 since_us, gint64 now_us)
{
  return limit_s != 0 && since_us != 0
         && now_us - since_us >= (gint64) limit_s * (gint64) G_USEC_PER_SEC;
}

DnLifetime
dn_lifetime_judge (const DnTerms *terms, gint64 guest_since_us, gint64 idle_since_us, gint64 now_us)
{
  if (is_over (terms->maximum_s, guest_since_us, now_us))
    return DN_LIFETIME_OVER;
  return is_over (terms->idle_s, idle_since_us, now_us) ? DN_LIFETIME_IDLE : DN_LIFETIME_GOES_ON;
}
