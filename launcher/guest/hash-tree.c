/* SPDX-License-Identifier: Apache-2.0 */
#include "hash-tree.h"

#include <string.h>

#include "../common/error.h"
#include "../common/key-file.h"

#define SECTORS_OF_BLOCK (DN_HASH_TREE_BLOCK_BYTES / 512)

guint
dn_hash_tree_lay_out (guint64 data_blocks, DnHashTreeLevel levels[DN_HASH_TREE_LEVELS_MAX])
{
  guint64 below = data_blocks;
  guint64 start = data_blocks;
  guint count = 0;

  while (below > 1 && count < DN_HASH_TREE_LEVELS_MAX)
    {
      below = (below + DN_HASH_TREE_HASHES_OF_BLOCK - 1) / DN_HASH_TREE_HASHES_OF_BLOCK;
      levels[count++].blocks = below;
    }
  for (guint i = count; i > 0; i--)
    {
      levels[i - 1].start = start;
      start += levels[i - 1].blocks;
    }
  return count;
}

guint64
dn_hash_tree_count_hash_blocks (guint64 data_blocks)
{
  DnHashTreeLevel levels[DN_HASH_TREE_LEVELS_MAX];
  guint64 sum = 0;

  for (guint i = dn_hash_tree_lay_out (data_blocks, levels); i > 0; i--)
    sum += levels[i - 1].blocks;
  return sum;
}

static gboolean
take_root_hash (const GPtrArray *pairs, const char *what, DnHashTree *tree, GError **error)
{
  const char *digest;

  if (pairs->len != 2 || !g_str_equal (g_ptr_array_index (pairs, 0), DN_HASH_TREE_ALGORITHM))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "file '%s': [root_hash]: has to have one key, " DN_HASH_TREE_ALGORITHM, what);
  digest = g_ptr_array_index (pairs, 1);
  if (strlen (digest) != sizeof tree->root_hash - 1
      || strspn (digest, "0123456789abcdef") != sizeof tree->root_hash - 1)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "file '%s': [root_hash] " DN_HASH_TREE_ALGORITHM
                     ": not a digest of %d hexadecimal digits",
                     what, (int) sizeof tree->root_hash - 1);
  g_strlcpy (tree->root_hash, digest, sizeof tree->root_hash);
  return TRUE;
}

gboolean
dn_hash_tree_parse (const char *text, gsize size, const char *what, DnHashTree *ret_tree,
                    GError **error)
{
  DnHashTree tree = { 0 };
  g_autoptr (GPtrArray) pairs = g_ptr_array_new_with_free_func (g_free);
  const DnKey keys[] = {
    /* The kernel has no tree for one block. */
    { "tree", "data_blocks", DN_KEY_INTEGER, &tree.data_blocks, 2, DN_HASH_TREE_BLOCKS_MAX, 0,
      NULL },
    { "tree", "hash_blocks", DN_KEY_INTEGER, &tree.hash_blocks, 1, DN_HASH_TREE_BLOCKS_MAX, 0,
      NULL },
    { "root_hash", "*", DN_KEY_TABLE, pairs, 0, 0, 0, NULL },
    { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL },
  };

  if (!dn_key_file_parse (text, size, what, keys, error)
      || !take_root_hash (pairs, what, &tree, error))
    return FALSE;
  if (tree.data_blocks == 0
      || tree.hash_blocks != dn_hash_tree_count_hash_blocks (tree.data_blocks))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "file '%s': [tree]: %" G_GUINT64_FORMAT
                     " hash blocks are not those of %" G_GUINT64_FORMAT " data blocks",
                     what, tree.hash_blocks, tree.data_blocks);
  *ret_tree = tree;
  return TRUE;
}

guint64
dn_hash_tree_file_bytes (const DnHashTree *tree)
{
  return (tree->data_blocks + tree->hash_blocks) * DN_HASH_TREE_BLOCK_BYTES;
}

char *
dn_hash_tree_to_words (const DnHashTree *tree, const char *device)
{
  /* The last words: a block that is wrong ends the guest at once.  Without them its reader gets an
   * error, and what goes on then is anybody's guess. */
  return g_strdup_printf (
      "dm-mod.create=\"root,,0,ro,0 %" G_GUINT64_FORMAT " verity 1 %s %s %d %d %" G_GUINT64_FORMAT
      " %" G_GUINT64_FORMAT " " DN_HASH_TREE_ALGORITHM " %s - 1 panic_on_corruption\"",
      tree->data_blocks * SECTORS_OF_BLOCK, device, device, DN_HASH_TREE_BLOCK_BYTES,
      DN_HASH_TREE_BLOCK_BYTES, tree->data_blocks, tree->data_blocks, tree->root_hash);
}

static void
hash_block (const guint8 *bytes, guint64 block, guint8 ret_digest[DN_HASH_TREE_DIGEST_BYTES])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = DN_HASH_TREE_DIGEST_BYTES;

  g_checksum_update (checksum, bytes + block * DN_HASH_TREE_BLOCK_BYTES, DN_HASH_TREE_BLOCK_BYTES);
  g_checksum_get_digest (checksum, ret_digest, &size);
}

static gboolean
is_root (const DnHashTree *tree, const guint8 *bytes, guint64 block)
{
  g_autofree char *digest = g_compute_checksum_for_data (
      G_CHECKSUM_SHA256, bytes + block * DN_HASH_TREE_BLOCK_BYTES, DN_HASH_TREE_BLOCK_BYTES);

  return g_str_equal (digest, tree->root_hash);
}

/* Checks @count blocks from @first on by the hashes that begin with block @hashes. */
static gint64
check_level (const guint8 *bytes, guint64 first, guint64 count, guint64 hashes)
{
  const guint8 *promised = bytes + hashes * DN_HASH_TREE_BLOCK_BYTES;

  for (guint64 i = 0; i < count; i++, promised += DN_HASH_TREE_DIGEST_BYTES)
    {
      guint8 digest[DN_HASH_TREE_DIGEST_BYTES];

      hash_block (bytes, first + i, digest);
      if (memcmp (digest, promised, sizeof digest) != 0)
        return (gint64) (first + i);
    }
  return -1;
}

gint64
dn_hash_tree_find_damage (const DnHashTree *tree, const guint8 *bytes, gsize size)
{
  DnHashTreeLevel levels[DN_HASH_TREE_LEVELS_MAX];
  guint count = dn_hash_tree_lay_out (tree->data_blocks, levels);
  gint64 damaged;

  if (size != dn_hash_tree_file_bytes (tree))
    return 0;
  if (!is_root (tree, bytes, levels[count - 1].start))
    return (gint64) levels[count - 1].start;
  for (guint i = count - 1; i > 0; i--)
    {
      damaged = check_level (bytes, levels[i - 1].start, levels[i - 1].blocks, levels[i].start);
      if (damaged >= 0)
        return damaged;
    }
  return check_level (bytes, 0, tree->data_blocks, levels[0].start);
}
