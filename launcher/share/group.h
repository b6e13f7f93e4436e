/* SPDX-License-Identifier: Apache-2.0 */
/* A share's virtiofsd in the control groups of its guest's QEMU: what the guest makes it do counts
 * to what the host gives that guest, of processors and of memory.
 *
 * libvirt makes those groups with the domain, so this comes after virtiofsd's start.  The process
 * goes from wider groups to narrower ones, whatever it has become; both are named by their age,
 * too.
 *
 * Source: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/cgroups.rst.
 */
#pragma once

#include "../base/share-order.h"

/* Where the group that a line of /proc/PID/cgroup tells of has its file cgroup.procs; @is_unified:
 * the host has version 2 alone.  Returns: 0; -ENOENT: a hierarchy or a group that is not the
 * machine's own; -EINVAL: no such line. Pure. */
int dn_share_group_path (const char *line, bool is_unified, char *ret_path, size_t size);

/**
 * dn_share_group_join:
 *
 * Puts order->process into all groups of order->qemu, and reads back that it is there.
 *
 * Privilege: root's files below /sys/fs/cgroup.  @answer: ENOENT where QEMU has no group of its own
 */
void dn_share_group_join (const DnShareOrder *order, DnShareAnswer *answer);
