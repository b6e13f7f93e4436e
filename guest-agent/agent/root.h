/* SPDX-License-Identifier: Apache-2.0 */
/* A container's root: its disk's layers seen through its user namespace, one over the other, and
 * for a writable one a tmpfs of bounded size or a scratch disk (scratch.h) on top.
 *
 * Of each layer there is an idmapped, detached clone of the disk's mount: the image's owner 0 is
 * the container's id 0, with no chown and one disk for many containers.  The clone of a single
 * layer is the root itself, with nothing between a program and its image; several are an overlay.
 *
 * The overlay is made by the agent, with the guest's rights, not inside the container's user
 * namespace: the tmpfs of Linux 6.1 has no user.* attributes, without which an overlay in a user
 * namespace cannot make a directory anew that the image has.  Ids are right all the same: what the
 * lower layer shows is mapped, and what is written is written with the container's own ids.
 *
 * A read-only root whose image lacks a directory that is to be mounted on (one static program and
 * nothing else is an image, too) gets a small layer of this kind for the missing directories.
 *
 * Privilege: CAP_SYS_ADMIN in the guest.
 * Source: mount_setattr(2), the kernel's Documentation/filesystems/overlayfs.rst.
 */
#pragma once

#include "config.h"
#include "scratch.h"

/**
 * dn_root_view:
 * @attributes: MOUNT_ATTR_*, besides ro, nosuid and nodev
 * @config, @work_dir: as below
 *
 * A disk's tree as a container is to see it: for its root, or for a mount of type disk.
 *
 * Returns: a descriptor of a detached mount, the caller's; -1 with errno
 */
int dn_root_view (const DnDisk *disk, int user_namespace, const DnConfig *config,
                  const char *work_dir, unsigned long attributes);

/**
 * dn_root_make:
 * @disk: the mounted disk
 * @scratch: what a writable root is on; none: it is in memory
 * @user_namespace: the container's
 * @work_dir: an empty directory of the agent's to mount on meanwhile
 * @memory_bytes: of the guest; a writable layer gets at most half
 *
 * Returns: a descriptor of a detached mount, the caller's; or a negative status with @fault
 */
int dn_root_make (const DnDisk *disk, const DnScratch *scratch, int user_namespace,
                  const DnConfig *config, const char *work_dir, uint64_t memory_bytes,
                  DnFault *fault);
