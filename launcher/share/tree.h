/* SPDX-License-Identifier: Apache-2.0 */
/* A bind's mount, made of a source and not attached anywhere yet.
 *
 * Without what is mounted below the source; nosuid and nodev; noexec and read-only unless asked
 * otherwise; no symbolic link in it is ever followed on the host; and with ids translated, all that
 * are not being nobody (id-map.h).
 *
 * Source: mount_setattr(2), open_tree(2).
 */
#pragma once

#include "../base/share-order.h"

/* @map_fd: a user namespace (id-map.h); taken over.  Returns: a descriptor, the caller's, or -1
 * with @answer made a refusal.  Privilege: CAP_SYS_ADMIN. */
int dn_share_tree_make (int source_fd, const DnShareSource *source, int map_fd,
                        DnShareAnswer *answer);

/* Of a mount that is made and translated already: sets all the rest. 0 or -errno */
int dn_share_tree_restrict (int tree, const DnShareSource *source);
