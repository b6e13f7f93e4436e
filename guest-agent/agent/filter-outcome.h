/* SPDX-License-Identifier: Apache-2.0 */
/* What a system call filter answers to a call, as far as its number alone decides.
 *
 * The kernel's record of a refusal names the action but not the errno; the filter does.  So it is
 * followed with the number and architecture known and the arguments unknown: where both ways of a
 * branch are possible, both are taken.  Each instruction is looked at once, for filters jump
 * forward only.
 *
 * Pure.
 */
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

/* @filter: at most BPF_MAXINSNS are looked at; nothing bad in it does harm.
 * Returns: the errno of every SECCOMP_RET_ERRNO that can be reached; 0 where there is none or where
 * it depends on the arguments. */
uint32_t dn_filter_errno (const struct sock_filter *filter, size_t count, uint32_t arch,
                          uint32_t call);
