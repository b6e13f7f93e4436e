/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest's kernel was promised to be: what init sets and the command line asks for. */
#include "promise.h"

static void
promise_sysctls (GPtrArray *promises)
{
  static const struct
  {
    const char *path;
    const char *value;
    const char *demand;
  } sysctls[] = {
#define DN_GUEST_SYSCTL(path, value, demand) { path, value, demand },
#include "../../protocol/verify.def"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (sysctls); i++)
    {
      g_autofree char *control = g_strconcat ("sysctl.", sysctls[i].path, NULL);

      dn_verify_promise (promises, control, sysctls[i].demand, DN_HOW_EQUAL_OR_ABSENT,
                         sysctls[i].value);
    }
}

void
dn_verify_promise_guest (GPtrArray *promises, const DnGuestInfo *info)
{
  dn_verify_promise (promises, "boot_id", "R1.1", DN_HOW_EQUAL,
                     info->boot_id != NULL ? info->boot_id : "");
  dn_verify_promisef (promises, "memory_bytes", "R4.1", DN_HOW_AT_MOST, "%" G_GUINT64_FORMAT,
                      info->memory_bytes);
  dn_verify_promisef (promises, "processors", "R4.1", DN_HOW_EQUAL, "%u", info->vcpus);
  dn_verify_promise (promises, "mount./", "R3.1", DN_HOW_WORDS, "ro,nosuid,nodev");
  /* A guest of before has a root that nobody hashed. */
  if (info->root_hash != NULL)
    dn_verify_promise (promises, "root.hash", "R4.6", DN_HOW_EQUAL, info->root_hash);
  dn_verify_promise (promises, "command_line", "R2.2", DN_HOW_WORDS,
                     "lockdown=confidentiality init_on_alloc=1 slab_nomerge "
                     "randomize_kstack_offset=on vsyscall=none cgroup_no_v1=all");
  dn_verify_promise (promises, "lockdown", "R2.2", DN_HOW_WORDS, "[confidentiality]");
  dn_verify_promise (promises, "lsm", "R2.2", DN_HOW_WORDS, "lockdown,yama,landlock");
  dn_verify_promise (promises, "agent.executable", "R3.1", DN_HOW_EQUAL, "/sbin/danchi-agent");
  dn_verify_promise (promises, "agent.cgroup", "R5.14", DN_HOW_EQUAL, "0::/agent");
  dn_verify_promise (promises, "agent.oom_score_adj", "R5.14", DN_HOW_EQUAL, "-1000");
  promise_sysctls (promises);
}
