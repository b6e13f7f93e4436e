/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of a pod that are copied into its share: secrets, configMaps, projected ones and the
 * downward API's.
 *
 * The kubelet keeps them in tmpfs, whose owners the host's kernel cannot translate before
 * Linux 6.3; and a pod need not have a way into the kubelet's directories to read a few files.  So
 * a share has a tmpfs of its own for each, in which the files belong to ids of the pod's
 * (base/share-order.h), readable to virtiofsd through a mount that is read-only; danchi-share
 * writes through another one, which nobody else ever sees.
 *
 * The kubelet changes such a volume at one stroke: what is in it are links into "..data", which is
 * a link to a directory of this version.  A copy does the same: first the new directory, then the
 * link; the one before goes with the next, since a guest's kernel may follow it for a second yet.
 *
 * Source: the kubelet's AtomicWriter; mount_setattr(2).
 */
#pragma once

#include "../base/share-order.h"

#define DN_SHARE_COPY_BYTES (16 * 1024 * 1024)
#define DN_SHARE_COPY_FILES 4096

/* In the mount namespace of the share: makes copy @number of the directory or file @source_fd, in
 * the place of what may be left there.  Fills @answer where it fails.
 * Privilege: CAP_SYS_ADMIN, CAP_CHOWN, CAP_FOWNER, CAP_DAC_OVERRIDE */
void dn_share_copy_make (int source_fd, uint32_t number, uid_t first_id, DnShareAnswer *answer);

/* Likewise: brings that of a directory up to date. */
void dn_share_copy_refresh (int source_fd, uint32_t number, uid_t first_id, DnShareAnswer *answer);
