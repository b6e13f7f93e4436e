/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's own file systems: one table for both lives of init.
 *
 * Every mount is nosuid; none but /dev has device files; nothing can be executed from one.  What
 * takes bytes of the guest's memory has a size limit.
 * Source: mount(2), tmpfs(5), proc(5), cgroups(7).
 */
#pragma once

/**
 * dn_mounts_make_kernel:
 *
 * Mounts /proc, /sys and /dev: what loading drivers needs, and what moves into the real root.
 * One that the kernel has mounted already (/dev) gets its flags.
 *
 * Privilege: CAP_SYS_ADMIN.  Does not return on failure.
 */
void dn_mounts_make_kernel (void);

/* Mounts the rest, once /proc, /sys and /dev are there.  Likewise. */
void dn_mounts_make_system (void);

/**
 * dn_mounts_switch_root:
 * @device: the block device with the guest's root, an EROFS image
 *
 * Mounts @device read-only, moves /proc, /sys and /dev into it and makes it this process's root.
 *  What was the root before is empty and out of reach afterwards.
 *
 * Privilege: CAP_SYS_ADMIN, CAP_SYS_CHROOT.  Does not return on failure.
 */
void dn_mounts_switch_root (const char *device);
