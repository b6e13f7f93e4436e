/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/tree-check.c launcher/guest/hash-tree.c launcher/common/key-*.c
 * launcher/common/names.c launcher/common/error.c */
/* Packages: nettle */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "../../launcher/common/autofd.h"
#include "../../launcher/images/tree-check.h"

#define BLOCK DN_HASH_TREE_BLOCK_BYTES
#define DIGEST DN_HASH_TREE_DIGEST_BYTES
/* Two levels of hashes above the data. */
#define DATA_BLOCKS 300

static void
hash (const guint8 *block, guint8 *ret_digest)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = DIGEST;

  g_checksum_update (checksum, block, BLOCK);
  g_checksum_get_digest (checksum, ret_digest, &size);
}

/* Data, the topmost hash block, and three below it. */
static GByteArray *
make_file (DnHashTree *ret_tree)
{
  GByteArray *file = g_byte_array_new ();
  guint8 *lower, *top;

  g_byte_array_set_size (file, (DATA_BLOCKS + 4) * BLOCK);
  memset (file->data, 0, file->len);
  for (guint i = 0; i < DATA_BLOCKS; i++)
    memset (file->data + i * BLOCK, (int) i, BLOCK);
  top = file->data + DATA_BLOCKS * BLOCK;
  lower = top + BLOCK;
  for (guint i = 0; i < DATA_BLOCKS; i++)
    hash (file->data + i * BLOCK, lower + i * DIGEST);
  for (guint i = 0; i < 3; i++)
    hash (lower + i * BLOCK, top + i * DIGEST);
  *ret_tree = (DnHashTree){ .data_blocks = DATA_BLOCKS, .hash_blocks = 4 };
  {
    g_autofree char *root = g_compute_checksum_for_data (G_CHECKSUM_SHA256, top, BLOCK);

    g_strlcpy (ret_tree->root_hash, root, sizeof ret_tree->root_hash);
  }
  return file;
}

static gboolean
count (guint64 bytes, gpointer data)
{
  *(guint64 *) data += bytes;
  return TRUE;
}

static gboolean
stop (guint64 bytes, gpointer data)
{
  (void) bytes;
  (void) data;
  return FALSE;
}

static DnTreeVerdict
check (const GByteArray *file, const DnHashTree *tree, DnTreeCheckTick tick, gpointer data,
       char **ret_problem)
{
  g_autofree char *path = NULL;
  dn_autofd int fd = g_file_open_tmp ("danchi-tree-XXXXXX", &path, NULL);

  g_assert_cmpint (write (fd, file->data, file->len), ==, file->len);
  g_remove (path);
  return dn_tree_check_file (fd, tree, tick, data, ret_problem);
}

static void
test_a_whole_file_is_sound (void)
{
  DnHashTree tree;
  g_autoptr (GByteArray) file = make_file (&tree);
  g_autofree char *problem = NULL;
  guint64 bytes = 0;

  g_assert_cmpint (check (file, &tree, count, &bytes, &problem), ==, DN_TREE_SOUND);
  g_assert_null (problem);
  g_assert_cmpuint (bytes, ==, DATA_BLOCKS * BLOCK);
  g_assert_cmpint (check (file, &tree, stop, NULL, &problem), ==, DN_TREE_STOPPED);
  /* The test's own tree is the one that the rest of Danchi means. */
  g_assert_cmpint (dn_hash_tree_find_damage (&tree, file->data, file->len), ==, -1);
}

static void
test_each_changed_block_is_named (void)
{
  static const struct
  {
    guint block;
    const char *words;
  } cases[] = { { 0, "block 0 is not" },
                { DATA_BLOCKS - 1, "block 299 is not" },
                { DATA_BLOCKS, "root hash" },
                { DATA_BLOCKS + 1, "hash block 1 is not" },
                { DATA_BLOCKS + 3, "hash block 3 is not" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnHashTree tree;
      g_autoptr (GByteArray) file = make_file (&tree);
      g_autofree char *problem = NULL;

      file->data[cases[i].block * BLOCK + 7] ^= 1;
      g_assert_cmpint (check (file, &tree, NULL, NULL, &problem), ==, DN_TREE_DAMAGED);
      g_assert_nonnull (strstr (problem, cases[i].words));
    }
}

static void
test_another_length_is_damage (void)
{
  DnHashTree tree;
  g_autoptr (GByteArray) file = make_file (&tree);
  g_autofree char *shorter = NULL, *longer = NULL, *odd = NULL;

  g_byte_array_set_size (file, file->len - 1);
  g_assert_cmpint (check (file, &tree, NULL, NULL, &shorter), ==, DN_TREE_DAMAGED);
  g_assert_nonnull (strstr (shorter, "bytes, not"));
  g_byte_array_set_size (file, file->len + 2);
  g_assert_cmpint (check (file, &tree, NULL, NULL, &longer), ==, DN_TREE_DAMAGED);
  g_byte_array_set_size (file, file->len - 1);
  tree.data_blocks++;
  tree.hash_blocks--;
  g_assert_cmpint (check (file, &tree, NULL, NULL, &odd), ==, DN_TREE_DAMAGED);
  g_assert_nonnull (strstr (odd, "does not fit"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(function, name) g_test_add_func ("/tree-check/" name, function)
  ADD (test_a_whole_file_is_sound, "a-whole-file-is-sound");
  ADD (test_each_changed_block_is_named, "each-changed-block-is-named");
  ADD (test_another_length_is_damage, "another-length-is-damage");
  return g_test_run ();
}
