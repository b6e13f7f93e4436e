/* SPDX-License-Identifier: Apache-2.0 */
/* A container's root filesystem on a block device, or in a file that is to be one (mount option
 * "loop"): the device goes to the pod's guest, and is mounted there.
 *
 * The file system is what the container's programs made of it, so the host's kernel does not mount
 * it.  Such are the snapshots of containerd's devmapper and blockfile snapshotters with ext4; what
 * has another type is mounted on the host (root-mount.h), since guests have no driver for it.
 *
 * As long as the shim has it, the device is claimed as a mount claims it: nobody mounts it on the
 * host meanwhile, and one that is mounted there is refused.
 *
 * A loop device carries the pod's mark in the name that the kernel keeps for it from the moment it
 * is made, by which it is found after a shim that crashed.  It does not go by itself when it is
 * closed: its number is nobody else's before danchid has taken the guest's right to it back.
 *
 * Privilege: CAP_SYS_ADMIN, and to open block devices.  Source: loop(4); open(2), O_EXCL.
 */
#pragma once

#include "root-mount.h"

typedef struct
{
  char *path; /* owned: of the device, without symbolic links; NULL: none */
  gboolean is_readonly;
  gboolean is_loop; /* made here */
  int fd;           /* owned: the claim */
} DnRootDevice;

#define DN_ROOT_DEVICE_NONE ((DnRootDevice){ .fd = -1 })

/* Whether a root of these mounts is one for the guest to mount. */
gboolean dn_root_device_is (const DnRootMount *mounts, gsize count);

/**
 * dn_root_device_open:
 * @mount: for which dn_root_device_is()
 * @name_space, @pod: of containerd's
 *
 * Returns: TRUE, or FALSE with DN_ERROR_FAILED, and nothing is left
 */
gboolean dn_root_device_open (const DnRootMount *mount, const char *name_space, const char *pod,
                              DnRootDevice *ret_device, GError **error);

/* No guest has it any more.  Of none: nothing. */
void dn_root_device_close (DnRootDevice *device);

/* The loop devices of a pod whose shim is gone. */
void dn_root_device_sweep (const char *name_space, const char *pod);
