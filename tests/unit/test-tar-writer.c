/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/tar-writer.c launcher/images/history.c */
#include <glib/gstdio.h>
#include <string.h>

#include "../../launcher/common/tar-writer.h"
#include "../../launcher/images/history.h"

#define GIB (G_GUINT64_CONSTANT (1024) * 1024 * 1024)

static void
append_file (GByteArray *tar, const char *name, const char *text)
{
  guint8 block[DN_TAR_BLOCK_BYTES], zeroes[DN_TAR_BLOCK_BYTES] = { 0 };

  dn_tar_write_header (name, strlen (text), block);
  g_byte_array_append (tar, block, sizeof block);
  g_byte_array_append (tar, (const guint8 *) text, (guint) strlen (text));
  g_byte_array_append (tar, zeroes, dn_tar_padding (strlen (text)));
}

/* The judge is tar(1). */
static char *
run_tar (const char *flags, const GByteArray *tar)
{
  g_autofree char *path = NULL, *out = NULL, *problems = NULL;
  int fd = g_file_open_tmp ("danchi-tar-XXXXXX", &path, NULL);
  char *argv[] = { "tar", (char *) flags, path, NULL };
  int status;

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, (const char *) tar->data, tar->len, NULL));
  g_assert_true (g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &problems,
                               &status, NULL));
  g_assert_cmpstr (problems, ==, "");
  g_assert_cmpint (status, ==, 0);
  g_remove (path);
  return g_steal_pointer (&out);
}

static void
test_tar_reads_what_is_written (void)
{
  g_autoptr (GByteArray) tar = g_byte_array_new ();
  g_autofree char *exact = g_strnfill (DN_TAR_BLOCK_BYTES, 'x');
  const guint8 end[DN_TAR_END_BYTES] = { 0 };
  g_autofree char *names = NULL, *bytes = NULL, *list = NULL;

  append_file (tar, "manifest.json", "hello");
  append_file (tar, "empty", "");
  append_file (tar, "blobs/sha256/exact", exact);
  g_byte_array_append (tar, end, sizeof end);
  names = run_tar ("-tf", tar);
  g_assert_cmpstr (names, ==, "manifest.json\nempty\nblobs/sha256/exact\n");
  bytes = run_tar ("-xOf", tar);
  g_assert_cmpuint (strlen (bytes), ==, 5 + DN_TAR_BLOCK_BYTES);
  g_assert_true (g_str_has_prefix (bytes, "hellox"));
  list = run_tar ("-tvf", tar);
  g_assert_true (g_str_has_prefix (list, "-r--r--r-- root/root"));
  g_assert_cmpuint (dn_tar_file_bytes (0), ==, 512);
  g_assert_cmpuint (dn_tar_file_bytes (512), ==, 1024);
  g_assert_cmpuint (dn_tar_file_bytes (513), ==, 1536);
}

/* Their bytes are a hole in a sparse file. */
static void
test_a_file_over_eight_gib_has_its_size (void)
{
  guint8 block[DN_TAR_BLOCK_BYTES];
  guint64 size = 0;

  dn_tar_write_header ("large", 9 * GIB + 7, block);
  g_assert_cmphex (block[124], ==, 0x80);
  for (guint i = 128; i < 136; i++)
    size = size << 8 | block[i];
  g_assert_cmpuint (size, ==, 9 * GIB + 7);
  dn_tar_write_header ("large", 8 * GIB - 1, block);
  g_assert_cmpstr ((char *) block + 124, ==, "77777777777");
}

#define TEXTS(...) ((char *[]){ __VA_ARGS__ __VA_OPT__ (, ) NULL })

static void
assert_layers (char **created_by, char **steps, guint layers, const gint *wanted)
{
  g_autoptr (GArray) history = dn_history_match (created_by, steps, layers);

  g_assert_cmpuint (history->len, ==, g_strv_length (created_by));
  for (guint i = 0; i < history->len; i++)
    g_assert_cmpint (g_array_index (history, DnHistoryStep, i).layer, ==, wanted[i]);
}

static void
test_steps_find_their_layers (void)
{
  char **by = TEXTS ("ADD a", "ENV b", "COPY c");
  g_autoptr (GArray) history = NULL;

  assert_layers (by, TEXTS ("layer 2026-01-01T00:00:00Z", "empty ", "layer "), 2,
                 (gint[]){ 0, DN_HISTORY_NO_LAYER, 1 });
  assert_layers (TEXTS ("x"), TEXTS ("empty "), 0, (gint[]){ DN_HISTORY_NO_LAYER });
  assert_layers (TEXTS (), TEXTS (), 3, NULL);
  history = dn_history_match (by, TEXTS ("layer when", "empty ", "layer "), 2);
  g_assert_cmpstr (g_array_index (history, DnHistoryStep, 0).created, ==, "when");
  g_assert_cmpstr (g_array_index (history, DnHistoryStep, 1).created, ==, "");
}

static void
test_steps_that_do_not_come_out_even_have_no_layers (void)
{
  const gint unknown[] = { DN_HISTORY_UNKNOWN, DN_HISTORY_UNKNOWN };

  assert_layers (TEXTS ("a", "b"), TEXTS ("layer ", "layer "), 3, unknown);
  assert_layers (TEXTS ("a", "b"), TEXTS ("layer ", "empty "), 0, unknown);
  assert_layers (TEXTS ("a", "b"), TEXTS ("layer "), 1, unknown);
  assert_layers (TEXTS ("a", "b"), TEXTS (), 2, unknown);
  assert_layers (TEXTS ("a", "b"), TEXTS ("", "layer "), 2, unknown);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tar-writer/tar-reads-what-is-written", test_tar_reads_what_is_written);
  g_test_add_func ("/tar-writer/a-file-over-eight-gib-has-its-size",
                   test_a_file_over_eight_gib_has_its_size);
  g_test_add_func ("/history/steps-find-their-layers", test_steps_find_their_layers);
  g_test_add_func ("/history/steps-that-do-not-come-out-even-have-no-layers",
                   test_steps_that_do_not_come_out_even_have_no_layers);
  return g_test_run ();
}
