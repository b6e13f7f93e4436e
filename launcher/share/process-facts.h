/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a process is a share's virtiofsd, in the jail that was made for it: read back from the
 * kernel before anything of the host's is put into its reach.
 *
 * Source: proc(5), namespaces(7).
 */
#pragma once

#include "../base/share-order.h"

/* Start time in clock ticks since boot; 0: there is no such process. */
uint64_t dn_share_process_ticks (pid_t pid);

/**
 * dn_share_process_check:
 * @ret_what: what is not as it was promised
 *
 * That very process; the context's ids, no groups, the five capabilities of its own user namespace
 * and no other in any set; no_new_privs, filters; of its other threads the same but for the two
 * capabilities that start.h tells of; namespaces that are not ours; the share as its root; the id
 * maps.
 *
 * Privilege: CAP_SYS_PTRACE.
 * Returns: 0, -ESRCH where it is gone, -EPERM, or another -errno
 */
int dn_share_process_check (const DnShareProcess *process, const char **ret_what);
