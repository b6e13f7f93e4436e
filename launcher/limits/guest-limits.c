/* SPDX-License-Identifier: Apache-2.0 */
#include "guest-limits.h"

const char *const dn_balloon_words[] = { "auto", "yes", "no", NULL };

guint64
dn_guest_limits_shares (const DnGuestLimits *limits, guint vcpus)
{
  return limits->cpu_shares != 0
             ? limits->cpu_shares
             : MIN (DN_GUEST_CPU_SHARES_OF_VCPU * (guint64) vcpus, DN_GUEST_CPU_SHARES_MAX);
}

guint64
dn_guest_limits_quota_us (const DnGuestLimits *limits)
{
  return limits->cpu_quota_percent * DN_GUEST_CPU_PERIOD_US / 100;
}

gboolean
dn_guest_limits_have_io (const DnGuestLimits *limits)
{
  return limits->read_bytes_per_s != 0 || limits->write_bytes_per_s != 0 || limits->reads_per_s != 0
         || limits->writes_per_s != 0;
}
