/* SPDX-License-Identifier: Apache-2.0 */
/* What EROFS looks like on disk, as far as images of ours have it: blocks of 4 KiB, nothing
 * compressed, inodes of the large form (the small one has no time of its own), attributes behind
 * their inode.  All numbers are little endian.
 *
 * Source: the kernel's fs/erofs/erofs_fs.h and Documentation/filesystems/erofs.rst.
 */
#pragma once

#include <stdint.h>

#define DN_EROFS_MAGIC 0xe0f5e1e2u
#define DN_EROFS_BLOCK_BYTES 4096
#define DN_EROFS_BLOCK_BITS 12
#define DN_EROFS_SUPER_OFFSET 1024
#define DN_EROFS_SUPER_BYTES 128
/* Inodes begin at multiples of it; their numbers count it from the image's start. */
#define DN_EROFS_SLOT_BYTES 32

#define DN_EROFS_FEATURE_MTIME 0x2 /* times are of the last change of a file's bytes */

#define DN_EROFS_INODE_BYTES 64
/* i_format: the large form, and where the bytes are. */
#define DN_EROFS_FORMAT_PLAIN 0x1        /* in blocks */
#define DN_EROFS_FORMAT_INLINE (0x1 | 4) /* the last, partial block behind the inode */

#define DN_EROFS_NAME_BYTES 12 /* before the names' bytes, for each one in a block */

#define DN_EROFS_ATTRIBUTES_HEADER_BYTES 12
#define DN_EROFS_ATTRIBUTE_BYTES 4 /* before its name and value */
/* What an inode's 16 bits can count. */
#define DN_EROFS_ATTRIBUTES_MAX_BYTES (12 + 4 * 65534)

static inline void
dn_erofs_put_16 (uint8_t *bytes, uint16_t number)
{
  bytes[0] = (uint8_t) number;
  bytes[1] = (uint8_t) (number >> 8);
}

static inline void
dn_erofs_put_32 (uint8_t *bytes, uint32_t number)
{
  dn_erofs_put_16 (bytes, (uint16_t) number);
  dn_erofs_put_16 (bytes + 2, (uint16_t) (number >> 16));
}

static inline void
dn_erofs_put_64 (uint8_t *bytes, uint64_t number)
{
  dn_erofs_put_32 (bytes, (uint32_t) number);
  dn_erofs_put_32 (bytes + 4, (uint32_t) (number >> 32));
}
