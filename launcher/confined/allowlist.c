/* SPDX-License-Identifier: Apache-2.0 */
#include "allowlist.h"

#include <errno.h>

static int
add_all (scmp_filter_ctx filter, uint32_t action, const DnAllowed *rules, size_t count)
{
  int r = 0;

  for (size_t i = 0; r == 0 && i < count; i++)
    r = seccomp_rule_add_array (filter, action, rules[i].call, rules[i].condition_count,
                                rules[i].conditions);
  return r;
}

int
dn_allowlist_load_refusing (const DnAllowed *rules, size_t count, const DnAllowed *refused,
                            size_t refused_count)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_KILL_PROCESS);
  int r = filter == NULL ? -ENOMEM : 0;

  if (r == 0)
    r = add_all (filter, SCMP_ACT_ALLOW, rules, count);
  if (r == 0)
    r = add_all (filter, SCMP_ACT_ERRNO (EACCES), refused, refused_count);
  if (r == 0)
    r = seccomp_load (filter);
  seccomp_release (filter);
  return r;
}

int
dn_allowlist_load (const DnAllowed *rules, size_t count)
{
  return dn_allowlist_load_refusing (rules, count, NULL, 0);
}
