/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a share: what virtiofsd is loaded from, /proc, and the share itself, which is
 * empty.
 *
 *     /usr/lib, /lib, ...   read-only, and taken away before the first bind comes (place.h)
 *     /proc                 of its own pid namespace; likewise
 *     /share                a tmpfs of root's, in which nobody but root makes names: a bind is one
 *
 * The mount namespace belongs to the host's user namespace, in which virtiofsd has no right: no
 * capability that it could ever have lets it mount, remount or unmount anything here.
 */
#pragma once

#include <stdbool.h>

/* The programs that are virtiofsd, the first that is there; NULL: none is. */
const char *dn_share_find_program (void);

/* What is loaded into a pod's virtiofsd (preload/thread.h), and where that finds it. */
#define DN_SHARE_PRELOAD "/danchi-share-pod.so"

/* In a mount and pid namespace of its own: makes that root, and enters it.  @has_preload:
 * DN_SHARE_PRELOAD is there, too, which lies where this program does.  @ret_step: what failed.
 * Returns: 0 or -errno */
int dn_share_root_enter (const char *program, bool has_preload, const char **ret_step);

/* In the mount namespace of a share: takes away all but the share.  What is away is no error. */
void dn_share_root_strip (void);
