/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's root as a device whose every block is checked when it is read: dm-verity.
 *
 * Which bytes the root has is said by danchid, as a hash on the kernel's command line.  A kernel
 * that has the device mapper built in makes the device by itself; with a modular one, init does.
 */
#pragma once

#define DN_VERITY_ROOT_DEVICE "/dev/dm-0"

/**
 * dn_verity_make_root:
 *
 * Makes DN_VERITY_ROOT_DEVICE, after waiting for the disk below (10 s at most).  The kernel panics
 * at the first block that is not what its hash says: nothing that was changed ever runs.
 *
 * Needs /proc and /dev, and dm-verity in the kernel.
 * Privilege: CAP_SYS_ADMIN.  Does not return on failure.
 */
void dn_verity_make_root (void);
