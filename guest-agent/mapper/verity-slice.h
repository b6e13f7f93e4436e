/* SPDX-License-Identifier: Apache-2.0 */
/* A part of a disk as a device of its own whose every block is checked when it is read.
 *
 * A container's disk is its image's layers one after the other, each with its hash tree behind it.
 * dm-verity reads its data from a device's start only, so a part that begins elsewhere is cut out
 * with dm-linear first; the part at the start needs no second device.  (Partitions would be the
 * other way to cut: but the kernel lets no disk be in use as a whole and in parts, and an image
 * that begins with a partition table of its own would be in the way.)
 *
 * How the tree is used, dm-verity's options:
 *   - a block that is wrong is an error of reading it (EIO), the option's absence: one image's
 *     damage must not end the other containers of its guest;
 *   - each reading from the disk is checked, no `check_at_most_once`: what changes on the host
 * after the first reading is the very thing to be noticed.  Pages that stay in the guest's memory
 * are not read again, so this costs little;
 *   - no `ignore_zero_blocks`: nothing is taken for granted without being read.
 *
 * libc only.
 * Source: the kernel's Documentation/admin-guide/device-mapper/{linear,verity}.rst.
 */
#pragma once

#include "device-mapper.h"

#define DN_VERITY_BLOCK_BYTES 4096
#define DN_VERITY_DIGEST_BYTES 32
/* "/dev/dm-" and a number. */
#define DN_VERITY_DEVICE_BYTES 24
/* What may be given as a name. */
#define DN_VERITY_SLICE_NAME_BYTES 56

/* In blocks of DN_VERITY_BLOCK_BYTES; the tree follows the data.  SHA-256, no salt, no header. */
typedef struct
{
  uint64_t start_block; /* on the disk */
  uint64_t data_blocks;
  uint64_t hash_blocks;
  uint8_t root_hash[DN_VERITY_DIGEST_BYTES];
} DnVeritySlice;

/**
 * dn_verity_slice_is_sound:
 * @disk_blocks: the disk's length
 *
 * Whether the slice lies on the disk and its tree has as many blocks as its data needs.
 */
bool dn_verity_slice_is_sound (const DnVeritySlice *slice, uint64_t disk_blocks);

/* How many blocks the tree over @data_blocks has. */
uint64_t dn_verity_count_hash_blocks (uint64_t data_blocks);

/**
 * dn_verity_slice_make:
 * @name: unique in the guest, at most DN_VERITY_SLICE_NAME_BYTES, without '/'
 * @disk: the disk's device file
 * @ret_device: (out): its number, of /dev/dm-MINOR
 *
 * Makes the device of a sound slice.  On failure nothing is left of it.
 *
 * Privilege: CAP_SYS_ADMIN.
 * Returns: 0 or -errno, as dn_mapper_make()
 */
int dn_verity_slice_make (const DnVeritySlice *slice, const char *name, const char *disk,
                          dev_t *ret_device);

/* Takes it away again, at once or when its last user lets go of it; its name is free then.
 * 0 or -errno. */
int dn_verity_slice_remove (const DnVeritySlice *slice, const char *name);

/* The device's file, "/dev/dm-MINOR", of at most DN_VERITY_DEVICE_BYTES. */
void dn_verity_slice_path (dev_t device, char *ret_path, size_t size);
