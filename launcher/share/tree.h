/* SPDX-License-Identifier: Apache-2.0 */
/* A bind's mount, made of a source and not attached anywhere yet.
 *
 * Without what is mounted below the source; nosuid and nodev; noexec and read-only unless asked
 * otherwise; no symbolic link in it is ever followed on the host; and with the ids of one owner
 * translated, all others being nobody (id-map.h).
 *
 * Source: mount_setattr(2), open_tree(2).
 */
#pragma once

#include "id-map.h"

/* Returns: a descriptor, the caller's, or -1 with @answer made a refusal.
 * Privilege: CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID. */
int dn_share_tree_make (int source_fd, const DnShareSource *source, const DnShareOwner *owner,
                        DnShareAnswer *answer);
