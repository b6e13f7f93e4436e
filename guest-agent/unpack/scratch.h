/* SPDX-License-Identifier: Apache-2.0 */
/* Where layers are unpacked: an ext4 on the scratch disk, or a directory (for tests). */
#pragma once

#include "failure.h"

/**
 * dn_scratch_open:
 * @path: a block device, or an existing directory
 * @files_limit: how many inodes a new file system gets
 *
 * A device that is not mounted yet gets a new file system, and what it had is lost; one that is, by
 * the unpacking of the layer before, stays as it is.  It is mounted nosuid, nodev and noexec:
 * nothing in an image runs here.
 *
 * Privilege: CAP_SYS_ADMIN for a device.  Returns: a descriptor of the directory, or -1.
 */
int dn_scratch_open (const char *path, uint64_t files_limit, DnFailure *failure);
