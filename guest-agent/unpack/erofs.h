/* SPDX-License-Identifier: Apache-2.0 */
/* The result: an EROFS image of the tree, at the start of the output disk.
 *
 * The same tree gives the same bytes: times of files are kept, the file system's own time and id
 * come from constants and from the image's config.
 * Source: mkfs.erofs(1); the kernel's Documentation/filesystems/erofs.rst, fs/erofs/erofs_fs.h.
 */
#pragma once

#include "digest.h"

#define DN_EROFS_BLOCK_BYTES 4096
#define DN_EROFS_SUPER_OFFSET 1024
#define DN_EROFS_SUPER_BYTES 128

/**
 * dn_erofs_build:
 * @tree: the directory's path
 * @output: a block device, or a file that is made
 * @identity: what the image's id is made from
 * @ret_bytes: (out): how long the image is, a multiple of %DN_EROFS_BLOCK_BYTES
 *
 * What the device had there before does not show through.
 */
bool dn_erofs_build (const char *tree, const char *output, const DnDigest *identity,
                     uint64_t *ret_bytes, DnFailure *failure);

/**
 * dn_erofs_size:
 * @super: %DN_EROFS_SUPER_BYTES from %DN_EROFS_SUPER_OFFSET
 *
 * Pure.  Returns: how many bytes the image has, a multiple of %DN_EROFS_BLOCK_BYTES, or 0 when this
 *   is no EROFS
 */
uint64_t dn_erofs_size (const uint8_t *super);
