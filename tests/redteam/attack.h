/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks of a guest on its host that are more than a question: each may end the guest, so each
 * has a guest of its own.  Test-only: linked into the agent of the red team's guests (hook.c). */
#pragma once

#include <sys/types.h>

/**
 * dn_attack_run:
 * @name: of an attack (attack.c has the table)
 * @agent: the agent, whose channel to the host is borrowed
 *
 * Returns: 0 when the attack was made; -ENOENT for no such attack; -errno where it could not be
 *   made, which the test takes as a failure.  Needs CAP_SYS_PTRACE.
 */
int dn_attack_run (const char *name, pid_t agent);
