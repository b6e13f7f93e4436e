/* SPDX-License-Identifier: Apache-2.0 */
/* Where binds appear: names in the share of a running virtiofsd.
 *
 * In a process that was forked for it: it goes to the share's mount namespace and does not come
 * back.  Before the first bind the libraries that virtiofsd was loaded from are taken away there.
 *
 * Privilege: CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_SYS_PTRACE.
 */
#pragma once

#include "../base/share-order.h"

/* Checks what the process is (process-facts.h), and goes there.  FALSE with a refusal. */
bool dn_share_place_enter (const DnShareProcess *process, DnShareAnswer *answer);

/* Attaches @tree as @number, in the place of what may be left there. */
void dn_share_place_put (int tree, uint32_t number, bool is_directory, DnShareAnswer *answer);

/* Takes @number away.  A guest that keeps files of it open keeps those: so it is made read-only
 * first, as far as nothing is open for writing. */
void dn_share_place_remove (uint32_t number);
