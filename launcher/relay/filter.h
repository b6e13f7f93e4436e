/* SPDX-License-Identifier: Apache-2.0 */
/* The relay's system calls: an allowlist; any other kills the process.
 *
 * Source: seccomp(2), seccomp_rule_add(3).
 */
#pragma once

/* Needs no_new_privs.  Returns: 0 or -errno. */
int dn_filter_load (void);
