/* SPDX-License-Identifier: Apache-2.0 */
#include "allowlist.h"

#include <errno.h>

int
dn_allowlist_load (const DnAllowed *rules, size_t count)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_KILL_PROCESS);
  int r = filter == NULL ? -ENOMEM : 0;

  for (size_t i = 0; r == 0 && i < count; i++)
    r = seccomp_rule_add_array (filter, SCMP_ACT_ALLOW, rules[i].call, rules[i].condition_count,
                                rules[i].conditions);
  if (r == 0)
    r = seccomp_load (filter);
  seccomp_release (filter);
  return r;
}
