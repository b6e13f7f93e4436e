/* SPDX-License-Identifier: Apache-2.0 */
/* A filter as text, for people to review: what it does with each call, and its instructions. */
#pragma once

#include <glib.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

static inline char *
action_text (guint32 action)
{
  switch (action & SECCOMP_RET_ACTION_FULL)
    {
    case SECCOMP_RET_ALLOW:
      return g_strdup ("allow");
    case SECCOMP_RET_ERRNO:
      return g_strdup_printf ("errno %u", action & SECCOMP_RET_DATA);
    case SECCOMP_RET_KILL_PROCESS:
      return g_strdup ("kill process");
    case SECCOMP_RET_KILL_THREAD:
      return g_strdup ("kill thread");
    case SECCOMP_RET_LOG:
      return g_strdup ("log");
    default:
      return g_strdup_printf ("0x%08x", action);
    }
}

static inline char *
instruction_text (const struct sock_filter *instruction, guint at)
{
  static const char *const fields[] = { "nr", "arch", "ip", "ip+4" };
  g_autofree char *action = NULL;
  guint word = instruction->k / 4;

  switch (instruction->code)
    {
    case BPF_LD | BPF_W | BPF_ABS:
      if (word < 4)
        return g_strdup_printf ("load %s", fields[word]);
      return g_strdup_printf ("load arg%u %s", (word - 4) / 2, word % 2 == 0 ? "low" : "high");
    case BPF_ALU | BPF_AND | BPF_K:
      return g_strdup_printf ("and 0x%08x", instruction->k);
    case BPF_RET | BPF_K:
      action = action_text (instruction->k);
      return g_strdup_printf ("return %s", action);
    case BPF_JMP | BPF_JA:
      return g_strdup_printf ("goto %u", at + 1 + instruction->k);
    default:
      return g_strdup_printf ("if %s 0x%08x goto %u else %u",
                              BPF_OP (instruction->code) == BPF_JEQ   ? "=="
                              : BPF_OP (instruction->code) == BPF_JGT ? ">"
                              : BPF_OP (instruction->code) == BPF_JGE ? ">="
                                                                      : "&",
                              instruction->k, at + 1 + instruction->jt, at + 1 + instruction->jf);
    }
}

static inline char *
filter_text (GBytes *filter)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize size;
  const struct sock_filter *instructions = g_bytes_get_data (filter, &size);

  for (guint i = 0; i < size / sizeof *instructions; i++)
    {
      g_autofree char *line = instruction_text (&instructions[i], i);

      g_string_append_printf (text, "%4u  %s\n", i, line);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}
