/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-words.h"

gboolean
dn_seccomp_action_from_word (const char *word, guint32 *ret_action)
{
  static const struct
  {
    const char *word;
    guint32 action;
  } actions[] = {
    { "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
    { "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO (0) },
    { "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
    { "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
    { "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
    { "SCMP_ACT_LOG", SCMP_ACT_LOG },
    { "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
    { "SCMP_ACT_TRACE", SCMP_ACT_TRACE (0) },
    { "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
  };

  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    if (g_str_equal (actions[i].word, word))
      {
        *ret_action = actions[i].action;
        return TRUE;
      }
  return FALSE;
}

gboolean
dn_seccomp_operator_from_word (const char *word, enum scmp_compare *ret_operator)
{
  static const struct
  {
    const char *word;
    enum scmp_compare operator;
  } operators[] = {
    { "SCMP_CMP_NE", SCMP_CMP_NE },
    { "SCMP_CMP_LT", SCMP_CMP_LT },
    { "SCMP_CMP_LE", SCMP_CMP_LE },
    { "SCMP_CMP_EQ", SCMP_CMP_EQ },
    { "SCMP_CMP_GE", SCMP_CMP_GE },
    { "SCMP_CMP_GT", SCMP_CMP_GT },
    { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
  };

  for (guint i = 0; i < G_N_ELEMENTS (operators); i++)
    if (g_str_equal (operators[i].word, word))
      {
        *ret_operator = operators[i].operator;
        return TRUE;
      }
  return FALSE;
}

gboolean
dn_seccomp_name_is_newer (const char *name)
{
  /* Linux 6.5 to 6.18, in the order of their numbers; then calls that a kernel makes up for
   * itself, and one of RISC-V's. */
  static const char *const names[] = { "cachestat",
                                       "fchmodat2",
                                       "map_shadow_stack",
                                       "futex_wake",
                                       "futex_wait",
                                       "futex_requeue",
                                       "statmount",
                                       "listmount",
                                       "lsm_get_self_attr",
                                       "lsm_set_self_attr",
                                       "lsm_list_modules",
                                       "mseal",
                                       "setxattrat",
                                       "getxattrat",
                                       "listxattrat",
                                       "removexattrat",
                                       "open_tree_attr",
                                       "file_getattr",
                                       "file_setattr",
                                       "uretprobe",
                                       "uprobe",
                                       "riscv_hwprobe",
                                       NULL };

  return g_strv_contains (names, name);
}
