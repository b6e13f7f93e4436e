/* SPDX-License-Identifier: Apache-2.0 */
/* The root filesystem of a pod's container where it is an overlay, as containerd and CRI-O mount
 * it: laid anew over its layers, each of which is translated.
 *
 * The kernel translates no ids of an overlay as a whole, but of the file systems that its layers
 * are on it does (ext4, xfs, btrfs; Linux 5.19).  So each layer becomes a mount of its own with the
 * pod's ids (id-map.h), and an overlay is laid over those, in mounts that nobody else sees:
 *
 *     lowerdir=/var/lib/containerd/.../3/fs:.../2/fs      clones, read-only, translated
 *     upperdir=.../7/fs,workdir=.../7/work                one clone of .../7, translated
 *
 * What the guest writes is then written to the same upper directory, with the owners that a
 * container of runc's would leave there; the snapshotter finds what it expects.
 *
 * An overlay does to its layers what it does with the rights of who mounted it.  So that is done by
 * an id of nobody's, the pod's root (files that the overlay itself makes need an owner that the
 * mount translates), with the five capabilities that it takes; what a guest asks for was checked
 * against the owners that it sees before.  No attribute can be set through a share, so none of the
 * overlay's own (trusted.overlay.*) is a guest's to choose.
 *
 * The mount that is there already stays unused meanwhile: of the layer that is written nobody but
 * the guest may write then, as is so of a container's root.
 *
 * Source: mount_setattr(2); the kernel's Documentation/filesystems/overlayfs.rst.
 */
#pragma once

#include "../base/share-order.h"

/* Whether @fd is the root of an overlay. */
bool dn_share_layers_are_there (int fd);

/**
 * dn_share_layers_make:
 * @fd: the overlay's root
 * @first_id: the guest's id that is the pod's 0
 *
 * In a process that was forked for it, and goes to mounts of its own.
 *
 * Returns: a descriptor of a detached mount, the caller's, or -1 with @answer made a refusal.
 * Privilege: CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, and those that rights.c keeps for it.
 */
int dn_share_layers_make (int fd, const DnShareSource *source, uid_t first_id,
                          DnShareAnswer *answer);
