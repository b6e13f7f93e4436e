/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/unit/unpack-image.c guest-agent/unpack/*.c !guest-agent/unpack/main.c protocol/*.c
 */
/* Packages: -larchive -ljansson -lnettle -lz -lzstd */
/* The whole unpacker as a process, on the archives of tests/images: honest ones give what their
 * documents say and the tree that their lowest layer means, hostile ones end in one error that says
 * what is wrong.  Layers over others need root: test-unpack-layers.c. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "unpack-image.h"

static void
assert_read (const Run *run, guint layers)
{
  g_assert_cmpuint (run->read_dones, ==, 1);
  g_assert_cmpuint (run->entries->len, ==, layers);
  g_assert_cmpuint (run->phases, ==, 1u << DN_UNPACK_PHASE_VERIFY);
}

static void
assert_unpacked (const Run *run)
{
  g_assert_cmpuint (run->layer_dones, ==, 1);
  g_assert_cmpuint (run->phases, ==, 1u << DN_UNPACK_PHASE_LAYERS | 1u << DN_UNPACK_PHASE_BUILD);
  g_assert_cmpuint (run->layer_done.image_bytes, >, 0);
  g_assert_cmpuint (run->layer_done.image_bytes % DN_DISK_BLOCK_BYTES, ==, 0);
}

/* The bytes at an offset are those that have the digest. */
static void
assert_bytes (const Image *image, guint64 offset, guint64 size, const guint8 *sha256)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *bytes = NULL;
  guint8 digest[32];
  gsize digest_size = sizeof digest;
  gsize length;

  g_assert_true (g_file_get_contents (image->archive, &bytes, &length, NULL));
  g_assert_cmpuint (offset + size, <=, length);
  g_checksum_update (checksum, (guchar *) bytes + offset, (gssize) size);
  g_checksum_get_digest (checksum, digest, &digest_size);
  g_assert_cmpmem (digest, sizeof digest, sha256, 32);
}

static void
test_what_docker_saved_is_found_by_its_offsets (void)
{
  static const guint8 none[32];
  static const char *const expected[] = { "1 docker.io/friendly/image:1",
                                          "1 friendly:2",
                                          "2 amd64",
                                          "5 app:app",
                                          "6 /srv",
                                          "7 SIGINT",
                                          "8 PATH=/bin",
                                          "8 EMPTY=",
                                          "9 /bin/tool",
                                          "11 80/tcp",
                                          "12 /data",
                                          "13 a=b",
                                          "13 lines=one two",
                                          "17 CMD" };
  g_auto (Image) image;
  g_auto (Run) run;

  image_read (&image, "docker.tar", "", &run);
  assert_read (&run, 3);
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_true (g_ptr_array_find_with_equal_func (run.fields, expected[i], g_str_equal, NULL));
  g_assert_cmpuint (run.read_done.expanded_bytes, ==, 0);
  /* The manifest of such an archive says nothing of the image alone. */
  g_assert_cmpmem (run.read_done.manifest_sha256, 32, none, 32);
  g_assert_cmpuint (run.read_done.manifest_bytes, ==, 0);
  assert_bytes (&image, run.read_done.config_offset, run.read_done.config_bytes,
                run.read_done.config_sha256);
  for (guint i = 0; i < 3; i++)
    {
      const DnMsgUnpackEntry *entry = &g_array_index (run.entries, DnMsgUnpackEntry, i);

      /* Not compressed, so that the layer is what its diff id is of. */
      g_assert_cmpmem (entry->sha256, 32, none, 32);
      assert_bytes (&image, entry->offset, entry->bytes, entry->diff_id);
    }
}

static void
test_an_oci_index_leads_to_the_image_for_this_machine (void)
{
  g_auto (Image) image;
  g_auto (Run) run;

  image_read (&image, "oci.tar", "", &run);
  assert_read (&run, 3);
  g_assert_cmpstr (run.fields->pdata[0], ==, "1 docker.io/friendly/oci:1");
  assert_bytes (&image, run.read_done.config_offset, run.read_done.config_bytes,
                run.read_done.config_sha256);
  assert_bytes (&image, run.read_done.manifest_offset, run.read_done.manifest_bytes,
                run.read_done.manifest_sha256);
  for (guint i = 0; i < 3; i++)
    {
      const DnMsgUnpackEntry *entry = &g_array_index (run.entries, DnMsgUnpackEntry, i);

      assert_bytes (&image, entry->offset, entry->bytes, entry->sha256);
    }
}

static void
test_a_thin_archive_names_layers_that_are_elsewhere (void)
{
  g_auto (Image) image;
  g_auto (Image) whole;
  g_auto (Run) run;
  g_auto (Run) other;

  image_read (&image, "thin.tar", "", &run);
  image_read (&whole, "oci.tar", "", &other);
  assert_read (&run, 3);
  assert_bytes (&image, run.read_done.manifest_offset, run.read_done.manifest_bytes,
                other.read_done.manifest_sha256);
  for (guint i = 0; i < 3; i++)
    {
      const DnMsgUnpackEntry *entry = &g_array_index (run.entries, DnMsgUnpackEntry, i);
      const DnMsgUnpackEntry *there = &g_array_index (other.entries, DnMsgUnpackEntry, i);

      g_assert_cmpuint (entry->offset, ==, DN_UNPACK_ELSEWHERE);
      g_assert_cmpuint (entry->bytes, ==, there->bytes);
      g_assert_cmpmem (entry->sha256, 32, there->sha256, 32);
      g_assert_cmpmem (entry->diff_id, 32, there->diff_id, 32);
    }
}

static void
test_a_compressed_archive_is_read_in_its_plain_form (void)
{
  static const char *const names[] = { "whole.tar.gz", "whole.tar.zst" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_auto (Image) plain;
      g_auto (Image) whole;
      g_auto (Run) plain_run;
      g_auto (Run) whole_run;
      struct stat status;

      image_read (&plain, "docker.tar", "", &plain_run);
      image_read (&whole, names[i], "", &whole_run);
      assert_read (&whole_run, 3);
      g_assert_cmpint (stat (plain.archive, &status), ==, 0);
      g_assert_cmpint (whole_run.read_done.expanded_bytes, ==, status.st_size);
      g_assert_cmpuint (whole_run.read_done.config_offset, ==, plain_run.read_done.config_offset);
      g_assert_cmpmem (whole_run.entries->data, 3 * sizeof (DnMsgUnpackEntry),
                       plain_run.entries->data, 3 * sizeof (DnMsgUnpackEntry));
      assert_bytes (&whole, whole_run.read_done.config_offset, whole_run.read_done.config_bytes,
                    plain_run.read_done.config_sha256);
    }
}

static void
test_one_of_several_images_must_be_named (void)
{
  g_auto (Image) unnamed_image;
  g_auto (Image) named_image;
  g_auto (Image) wrong_image;
  g_auto (Run) unnamed;
  g_auto (Run) named;
  g_auto (Run) wrong;

  image_read (&unnamed_image, "two.tar", "", &unnamed);
  g_assert_cmpuint (unnamed.replies, ==, 1);
  g_assert_nonnull (strstr (unnamed.reply.message, "2 images: name one"));
  image_read (&named_image, "two.tar", "one/image:1", &named);
  assert_read (&named, 1);
  image_read (&wrong_image, "two.tar", "three/image:1", &wrong);
  g_assert_cmpint (wrong.reply.status, ==, -ENOENT);
}

static void
test_the_lowest_layer_needs_no_rights (void)
{
  g_auto (Image) image;
  g_auto (Image) again;
  g_auto (Run) read;
  g_auto (Run) read_again;
  g_auto (Run) run;
  g_auto (Run) run_again;
  g_autofree char *first_path = NULL;
  g_autofree char *second_path = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  gsize first_size;
  gsize second_size;

  image_read (&image, "docker.tar", "", &read);
  image_unpack_layer (&image, "1000", NULL, &run);
  assert_unpacked (&run);
  /* Of all the names in the layer, parents that it does not name included. */
  g_assert_cmpuint (run.layer_done.files, ==, 15);
  g_assert_cmpuint (run.layer_done.unpacked_bytes, ==, 10);

  image_read (&again, "links.tar", "", &read_again);
  image_unpack_layer (&again, "1000", NULL, &run_again);
  assert_unpacked (&run_again);
  first_path = image_path (&image, "1.erofs");
  second_path = image_path (&again, "1.erofs");
  g_assert_true (g_file_get_contents (first_path, &first, &first_size, NULL));
  g_assert_true (g_file_get_contents (second_path, &second, &second_size, NULL));
  g_assert_cmpuint (first_size, ==, run.layer_done.image_bytes);
  g_assert_cmpmem (first, first_size, second, second_size);
}

static void
test_files_over_the_limit_are_refused (void)
{
  g_auto (Image) image;
  g_auto (Run) read;
  g_auto (Run) run;

  image_read (&image, "docker.tar", "", &read);
  image_unpack_layer (&image, "5", NULL, &run);
  g_assert_cmpint (run.reply.status, ==, -EFBIG);
}

/* One test for each line of hostile.py's index. */
static void
test_hostile_archive (gconstpointer data)
{
  const char *const *words = data;
  g_auto (Image) image;
  g_auto (Run) read;
  g_auto (Run) layer;
  const Run *run = &read;

  image_read (&image, words[0], "", &read);
  if (read.replies == 0)
    {
      g_assert_cmpuint (image.entries->len, ==, 1);
      image_unpack_layer (&image, "20000", NULL, &layer);
      run = &layer;
    }
  else
    {
      layer = (Run){ .fields = g_ptr_array_new (),
                     .entries = g_array_new (FALSE, FALSE, sizeof (DnMsgUnpackEntry)) };
      g_assert_cmpuint (read.fields->len, ==, 0);
      g_assert_cmpuint (read.entries->len, ==, 0);
    }
  g_assert_cmpuint (run->replies, ==, 1);
  g_assert_cmpint (run->reply.status, <, 0);
  g_assert_nonnull (strstr (run->reply.message, words[1]));
  for (const char *byte = run->reply.message; *byte != '\0'; byte++)
    g_assert_true (*byte >= 0x20 && *byte < 0x7f);
}

static void
add_hostile_tests (void)
{
  g_autofree char *path = g_build_filename (image_archives (), "index", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      char **words = g_strsplit (lines[i], " ", 2);
      g_autofree char *name = g_strdup_printf ("/unpack/run/refuses-%s", words[0]);

      g_test_add_data_func_full (name, words, test_hostile_archive, (GDestroyNotify) g_strfreev);
    }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
#define ADD(function, name) g_test_add_func ("/unpack/run/" name, function)
  ADD (test_what_docker_saved_is_found_by_its_offsets, "what-docker-saved-is-found-by-its-offsets");
  ADD (test_an_oci_index_leads_to_the_image_for_this_machine,
       "an-oci-index-leads-to-the-image-for-this-machine");
  ADD (test_a_thin_archive_names_layers_that_are_elsewhere,
       "a-thin-archive-names-layers-that-are-elsewhere");
  ADD (test_a_compressed_archive_is_read_in_its_plain_form,
       "a-compressed-archive-is-read-in-its-plain-form");
  ADD (test_one_of_several_images_must_be_named, "one-of-several-images-must-be-named");
  ADD (test_the_lowest_layer_needs_no_rights, "the-lowest-layer-needs-no-rights");
  ADD (test_files_over_the_limit_are_refused, "files-over-the-limit-are-refused");
  add_hostile_tests ();
  result = g_test_run ();
  image_archives_remove ();
  return result;
}
