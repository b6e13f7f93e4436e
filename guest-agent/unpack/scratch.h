/* SPDX-License-Identifier: Apache-2.0 */
/* Where layers are unpacked: a fresh ext4 on the scratch disk, or a directory (for tests). */
#pragma once

#include "failure.h"

/**
 * dn_scratch_open:
 * @path: a block device, whose content is lost, or an existing directory
 * @files_limit: how many inodes a new file system gets
 * @ret_directory: (out) (transfer none): the directory's path, valid for the process's life
 *
 * The file system is mounted nosuid, nodev and noexec: nothing in an image runs here.
 *
 * Privilege: CAP_SYS_ADMIN for a device.  Returns: a descriptor of the directory, or -1.
 */
int dn_scratch_open (const char *path, uint64_t files_limit, const char **ret_directory,
                     DnFailure *failure);
