/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/hash-tree.c launcher/common/key-*.c launcher/common/names.c
 * launcher/common/error.c guest-agent/mapper/verity-words.c */
#include <string.h>

#include "../../guest-agent/mapper/verity-words.h"
#include "../../launcher/common/error.h"
#include "../../launcher/guest/hash-tree.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GOOD "[tree]\ndata_blocks = 453\nhash_blocks = 5\n[root_hash]\nsha256 = " DIGEST "\n"

static gboolean
parse (const char *text, DnHashTree *ret_tree, GError **error)
{
  return dn_hash_tree_parse (text, strlen (text), "x.verity", ret_tree, error);
}

static void
test_a_file_is_read (void)
{
  DnHashTree tree;
  g_autoptr (GError) error = NULL;

  g_assert_true (parse ("# comment\n" GOOD, &tree, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (tree.data_blocks, ==, 453);
  g_assert_cmpuint (tree.hash_blocks, ==, 5);
  g_assert_cmpstr (tree.root_hash, ==, DIGEST);
  g_assert_cmpuint (dn_hash_tree_file_bytes (&tree), ==, 458 * 4096);
}

static void
test_what_is_not_exactly_that_is_refused (void)
{
  static const struct
  {
    const char *text;
    const char *words; /* of the error */
  } cases[] = {
    { "", "root_hash" },
    { "[tree]\ndata_blocks = 453\nhash_blocks = 5\n", "root_hash" },
    { "[root_hash]\nsha256 = " DIGEST "\n", "hash blocks" },
    { "[tree]\nhash_blocks = 5\n[root_hash]\nsha256 = " DIGEST "\n", "hash blocks" },
    { "[tree]\ndata_blocks = 453\nhash_blocks = 4\n[root_hash]\nsha256 = " DIGEST "\n",
      "4 hash blocks are not those of 453" },
    { "[tree]\ndata_blocks = 1\nhash_blocks = 1\n[root_hash]\nsha256 = " DIGEST "\n",
      "data_blocks" },
    { "[tree]\ndata_blocks = 99999999\nhash_blocks = 5\n[root_hash]\nsha256 = " DIGEST "\n",
      "data_blocks" },
    { GOOD "sha512 = 00\n", "one key" },
    { "[tree]\ndata_blocks = 453\nhash_blocks = 5\n[root_hash]\nmd5 = " DIGEST "\n", "one key" },
    { "[tree]\ndata_blocks = 453\nhash_blocks = 5\n[root_hash]\nsha256 = 0123\n", "64" },
    { "[tree]\ndata_blocks = 453\nhash_blocks = 5\n[root_hash]\nsha256 = " DIGEST "0\n", "64" },
    /* What would end the quoted words on the command line, or add some. */
    { "[tree]\ndata_blocks = 453\nhash_blocks = 5\n[root_hash]\nsha256 = "
      "\"123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
      "64" },
    { "[tree]\ndata_blocks = 453\nhash_blocks = 5\n[root_hash]\nsha256 = "
      " 123456789abcdef 123456789abcdef0123456789abcdef0123456789abcdef\n",
      "64" },
    { GOOD "[more]\nkey = 1\n", "unknown group" },
    { "[tree]\nsalt = 00\n", "unknown key" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnHashTree tree = { .data_blocks = 77 };
      g_autoptr (GError) error = NULL;

      g_assert_false (parse (cases[i].text, &tree, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
      g_assert_nonnull (strstr (error->message, "'x.verity"));
      if (strstr (error->message, cases[i].words) == NULL)
        g_error ("case %zu: %s", i, error->message);
      g_assert_cmpuint (tree.data_blocks, ==, 77);
    }
}

static void
test_the_guest_reads_the_words_that_the_host_writes (void)
{
  DnHashTree tree;
  DnMapperTable table;
  char device[32], root[DN_VERITY_ROOT_BYTES + 1];
  g_autofree char *words = NULL;
  g_autofree char *cmdline = NULL;

  g_assert_true (parse (GOOD, &tree, NULL));
  words = dn_hash_tree_to_words (&tree, "/dev/vda");
  g_assert_cmpstr (words, ==,
                   "dm-mod.create=\"root,,0,ro,0 3624 verity 1 /dev/vda /dev/vda 4096 4096 453 453 "
                   "sha256 " DIGEST " - 1 panic_on_corruption\"");
  cmdline = g_strdup_printf ("console=ttyS0 quiet %s\n", words);
  g_assert_cmpint (dn_verity_parse_cmdline (cmdline, &table), ==, 0);
  g_assert_cmpstr (table.name, ==, "root");
  g_assert_cmpuint (table.minor, ==, 0);
  g_assert_cmpuint (table.sectors, ==, 453 * 8);
  g_assert_cmpstr (table.target, ==, "verity");
  g_assert_cmpint (dn_verity_find_device (table.parameters, device, sizeof device), ==, 0);
  g_assert_cmpstr (device, ==, "/dev/vda");
  g_assert_cmpint (dn_verity_find_root (table.parameters, root, sizeof root), ==, 0);
  g_assert_cmpstr (root, ==, "sha256 " DIGEST);
}

/* The root of this build, as veritysetup made it, and what of it may be changed: nothing. */
static void
test_a_changed_byte_anywhere_is_found (void)
{
  static const char *const names[] = { "guest", "unpack" };
  const char *build = g_getenv ("DN_TEST_BUILD");

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *root = g_strdup_printf ("%s/images/%s.erofs", build, names[i]);
      g_autofree char *hash = g_strdup_printf ("%s/images/%s.verity", build, names[i]);
      g_autofree char *text = NULL;
      g_autofree guint8 *bytes = NULL;
      DnHashTree tree;
      gsize size;
      g_autoptr (GError) error = NULL;

      g_assert_true (g_file_get_contents (hash, &text, NULL, &error));
      g_assert_true (parse (text, &tree, &error));
      g_assert_true (g_file_get_contents (root, (char **) &bytes, &size, &error));
      g_assert_cmpuint (size, ==, dn_hash_tree_file_bytes (&tree));
      g_assert_cmpint (dn_hash_tree_find_damage (&tree, bytes, size), ==, -1);
      g_assert_cmpint (dn_hash_tree_find_damage (&tree, bytes, size - 4096), ==, 0);
      /* Of file system and tree the first, the last, and one between. */
      {
        const guint64 data = tree.data_blocks;
        const guint64 blocks[] = { 0, 1, data / 2, data - 1, data, data + 1, size / 4096 - 1 };

        for (gsize j = 0; j < G_N_ELEMENTS (blocks); j++)
          {
            gsize at = blocks[j] * 4096 + (j % 2) * 4095;

            bytes[at] ^= 1;
            g_assert_cmpint (dn_hash_tree_find_damage (&tree, bytes, size), ==, (gint64) blocks[j]);
            bytes[at] ^= 1;
          }
      }
      tree.root_hash[0] = tree.root_hash[0] == '0' ? '1' : '0';
      g_assert_cmpint (dn_hash_tree_find_damage (&tree, bytes, size), ==,
                       (gint64) tree.data_blocks);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hash-tree/a file is read", test_a_file_is_read);
  g_test_add_func ("/hash-tree/what is not exactly that is refused",
                   test_what_is_not_exactly_that_is_refused);
  g_test_add_func ("/hash-tree/the guest reads the words that the host writes",
                   test_the_guest_reads_the_words_that_the_host_writes);
  g_test_add_func ("/hash-tree/a changed byte anywhere is found",
                   test_a_changed_byte_anywhere_is_found);
  return g_test_run ();
}
