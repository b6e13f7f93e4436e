/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/hash-tree-build.c launcher/guest/hash-tree.c launcher/common/key-*.c
 * launcher/common/names.c launcher/common/error.c */
/* Packages: nettle */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "../../launcher/common/error.h"
#include "../../launcher/guest/hash-tree-build.h"

/* A file of so many blocks, each another's, with its tree. (transfer full): the path */
static char *
build (guint64 blocks, DnHashTree *ret_tree)
{
  char *path = g_strdup ("/tmp/danchi-test-XXXXXX");
  int fd = g_mkstemp (path);
  g_autoptr (DnHashTreeBuild) build = dn_hash_tree_build_new (blocks, fd);
  g_autoptr (GError) error = NULL;
  guint8 block[DN_HASH_TREE_BLOCK_BYTES];

  for (guint64 i = 0; i < blocks; i++)
    {
      for (gsize j = 0; j < sizeof block; j++)
        block[j] = (guint8) (i * 31 + j * 7 + (i >> 8));
      g_assert_cmpint (write (fd, block, sizeof block), ==, sizeof block);
      g_assert_true (dn_hash_tree_build_add (build, block, 1, &error));
    }
  g_assert_true (dn_hash_tree_build_finish (build, ret_tree, &error));
  g_assert_no_error (error);
  g_assert_true (close (fd) == 0);
  return path;
}

static gboolean
veritysetup_agrees (const char *path, const DnHashTree *tree)
{
  g_autofree char *blocks = g_strdup_printf ("--data-blocks=%" G_GUINT64_FORMAT, tree->data_blocks);
  g_autofree char *offset = g_strdup_printf ("--hash-offset=%" G_GUINT64_FORMAT,
                                             tree->data_blocks * DN_HASH_TREE_BLOCK_BYTES);
  const char *argv[] = { "veritysetup",
                         "verify",
                         "--no-superblock",
                         "--salt=-",
                         "--data-block-size=4096",
                         "--hash-block-size=4096",
                         blocks,
                         offset,
                         path,
                         path,
                         tree->root_hash,
                         NULL };
  g_auto (GStrv) environment
      = g_environ_setenv (g_get_environ (), "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", TRUE);
  g_autoptr (GError) error = NULL;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, environment,
                               G_SPAWN_SEARCH_PATH_FROM_ENVP | G_SPAWN_STDOUT_TO_DEV_NULL
                                   | G_SPAWN_STDERR_TO_DEV_NULL,
                               NULL, NULL, NULL, NULL, &status, &error));
  g_assert_no_error (error);
  return g_spawn_check_wait_status (status, NULL);
}

static void
test_veritysetup_finds_every_tree_right (void)
{
  /* One level, two and three; exactly full and one more. */
  static const guint64 sizes[] = { 2, 3, 127, 128, 129, 16384, 16385 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      DnHashTree tree;
      g_autofree char *path = build (sizes[i], &tree);
      g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);

      g_assert_cmpuint (g_mapped_file_get_length (file), ==, dn_hash_tree_file_bytes (&tree));
      g_assert_cmpint (dn_hash_tree_find_damage (&tree,
                                                 (const guint8 *) g_mapped_file_get_contents (file),
                                                 g_mapped_file_get_length (file)),
                       ==, -1);
      g_assert_true (veritysetup_agrees (path, &tree));
      g_assert_cmpint (g_unlink (path), ==, 0);
    }
}

static void
test_a_changed_byte_is_found_by_both (void)
{
  DnHashTree tree;
  g_autofree char *path = build (300, &tree);
  int fd = g_open (path, O_RDWR | O_CLOEXEC, 0);
  g_autoptr (GMappedFile) file = NULL;

  g_assert_cmpint (pwrite (fd, "x", 1, 211 * 4096 + 17), ==, 1);
  g_assert_true (close (fd) == 0);
  file = g_mapped_file_new (path, FALSE, NULL);
  g_assert_cmpint (dn_hash_tree_find_damage (&tree,
                                             (const guint8 *) g_mapped_file_get_contents (file),
                                             g_mapped_file_get_length (file)),
                   ==, 211);
  g_assert_false (veritysetup_agrees (path, &tree));
  g_assert_cmpint (g_unlink (path), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hash-tree-build/veritysetup-finds-every-tree-right",
                   test_veritysetup_finds_every_tree_right);
  g_test_add_func ("/hash-tree-build/a-changed-byte-is-found-by-both",
                   test_a_changed_byte_is_found_by_both);
  return g_test_run ();
}
