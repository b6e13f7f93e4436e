/* SPDX-License-Identifier: Apache-2.0 */
/* An allowlist of system calls, as a table; any other call kills the process.
 *
 * Source: seccomp(2), seccomp_rule_add(3).
 */
#pragma once

#include <seccomp.h>
#include <stddef.h>

typedef struct
{
  int call;
  struct scmp_arg_cmp conditions[2];
  unsigned condition_count;
} DnAllowed;

#define DN_ALLOW(call)                                                                             \
  {                                                                                                \
    SCMP_SYS (call), { { 0 } }, 0                                                                  \
  }
/* Where argument @index is @value; with SCMP_CMP_MASKED_EQ, where its bits @value are @bits. */
#define DN_ALLOW_ONLY(call, index, how, value, bits)                                               \
  {                                                                                                \
    SCMP_SYS (call), { { index, how, value, bits } }, 1                                            \
  }
/* Where argument @first is @a and argument @second is @b. */
#define DN_ALLOW_PAIR(call, first, a, second, b)                                                   \
  {                                                                                                \
    SCMP_SYS (call), { { first, SCMP_CMP_EQ, a, 0 }, { second, SCMP_CMP_EQ, b, 0 } }, 2            \
  }

/* Needs no_new_privs.  Returns: 0 or -errno. */
int dn_allowlist_load (const DnAllowed *rules, size_t count);

/* Likewise; @refused are calls that a library makes and does without: they answer EACCES. */
int dn_allowlist_load_refusing (const DnAllowed *rules, size_t count, const DnAllowed *refused,
                                size_t refused_count);
