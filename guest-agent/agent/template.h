/* SPDX-License-Identifier: Apache-2.0 */
/* Small empty file systems that come with the guest's root, since a guest has no mke2fs: the kernel
 * lets them grow to their device's size.
 *
 * A template has those blocks of the file system that are not all zeroes, each behind its number
 * (32 bits, big endian), in order (images/scratch.sh).
 *
 * Privilege: to write the device.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DN_TEMPLATE_BLOCK_BYTES 4096

typedef struct
{
  const char *path;
  uint32_t blocks;  /* how large its file system is */
  bool has_no_zero; /* what the device shows where nothing was written is noise: write zeroes */
} DnTemplate;

/**
 * dn_template_write:
 *
 * Writes @template to @device.  The first block comes last, when all others are on the disk: what
 * was broken off has no superblock and so is no file system to anybody.
 *
 * Returns: 0 or -errno
 */
int dn_template_write (int device, const DnTemplate *template);
