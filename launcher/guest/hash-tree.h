/* SPDX-License-Identifier: Apache-2.0 */
/* The hash tree of a guest's root (dm-verity): what the root's bytes must be.
 *
 * images/verity.sh appends the tree to the file system, so both are one disk, and writes beside it
 * what leads to it, NAME.verity for NAME.erofs, as a configuration file:
 *
 *   [tree]
 *   data_blocks = 453
 *   hash_blocks = 5
 *   [root_hash]
 *   sha256 = 64 hexadecimal digits
 *
 * Blocks have 4096 bytes; no salt; the topmost hash block comes first.  danchid hands the root hash
 * to the guest's kernel, which checks each block that it reads.  The guest is told by a way that
 * the disk has no part in: the kernel's command line.
 *
 * Pure.
 * Source: the kernel's Documentation/admin-guide/device-mapper/verity.rst, veritysetup(8).
 */
#pragma once

#include <glib.h>

#define DN_HASH_TREE_BLOCK_BYTES 4096
#define DN_HASH_TREE_ALGORITHM "sha256"
#define DN_HASH_TREE_DIGEST_BYTES 32
/* 8 GiB. */
#define DN_HASH_TREE_BLOCKS_MAX (2 * 1024 * 1024)

typedef struct
{
  guint64 data_blocks;
  guint64 hash_blocks; /* they follow the data */
  char root_hash[2 * DN_HASH_TREE_DIGEST_BYTES + 1];
} DnHashTree;

/* DN_HASH_TREE_HASHES_OF_BLOCK to this power are more blocks than there may be. */
#define DN_HASH_TREE_LEVELS_MAX 4
#define DN_HASH_TREE_HASHES_OF_BLOCK (DN_HASH_TREE_BLOCK_BYTES / DN_HASH_TREE_DIGEST_BYTES)

typedef struct
{
  guint64 start; /* its first block in the file */
  guint64 blocks;
} DnHashTreeLevel;

/* The hash blocks over @data_blocks: [0] is the level over the data, the last one has one block.
 * Returns how many levels there are. */
guint dn_hash_tree_lay_out (guint64 data_blocks, DnHashTreeLevel levels[DN_HASH_TREE_LEVELS_MAX]);

guint64 dn_hash_tree_count_hash_blocks (guint64 data_blocks);

/**
 * dn_hash_tree_parse:
 * @what: the file's name, for errors
 *
 * Returns: TRUE, or FALSE with DN_ERROR_CONFIG
 */
gboolean dn_hash_tree_parse (const char *text, gsize size, const char *what, DnHashTree *ret_tree,
                             GError **error);

/* The length of file system and tree together, in bytes. */
guint64 dn_hash_tree_file_bytes (const DnHashTree *tree);

/**
 * dn_hash_tree_to_words:
 * @device: the disk in the guest, "/dev/vda"
 *
 * Returns: (transfer full): the option of the kernel's command line that makes /dev/dm-0 out of
 *   @device, checked by the tree: dm-mod.create="..."
 */
char *dn_hash_tree_to_words (const DnHashTree *tree, const char *device);

/**
 * dn_hash_tree_find_damage:
 * @bytes: the whole file
 *
 * Checks what the guest's kernel would check if it read everything, from the root hash down.
 *
 * Returns: the number of the first block that is not as promised, or -1 when all are; 0 too for a
 *   file of another size
 */
gint64 dn_hash_tree_find_damage (const DnHashTree *tree, const guint8 *bytes, gsize size);
