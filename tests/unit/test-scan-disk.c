/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/scan-disk.c launcher/common/error.c */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../launcher/common/error.h"
#include "../../launcher/images/scan-disk.h"

typedef struct
{
  char *directory;
  char *disk;
  char *first;
  char *other;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->directory = g_dir_make_tmp ("danchi-scan-XXXXXX", NULL);
  fixture->disk = g_build_filename (fixture->directory, "disk", NULL);
  fixture->first = g_build_filename (fixture->directory, "first", NULL);
  fixture->other = g_build_filename (fixture->directory, "other", NULL);
  g_assert_true (g_file_set_contents (fixture->first, "hello\n", -1, NULL));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree char *command = g_strdup_printf ("rm -rf '%s'", fixture->directory);

  (void) data;
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_free (fixture->directory);
  g_free (fixture->disk);
  g_free (fixture->first);
  g_free (fixture->other);
}

static void
run (const char *command)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  gint status = 0;

  g_assert_true (g_spawn_command_line_sync (command, &out, &err, &status, NULL));
  if (status != 0)
    g_error ("%s: %s%s", command, out, err);
}

/* erofs-utils reads it as the kernel does: names, modes, sizes and bytes. */
static void
test_the_disk_is_an_erofs_image_of_its_files (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (10000, 'x');
  const DnScanFile files[] = { { fixture->first, "z-last", FALSE },
                               { fixture->other, "Program.1", TRUE },
                               { fixture->first, "-dash", FALSE } };
  char *sha256[3] = { NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *extract
      = g_strdup_printf ("fsck.erofs --extract=%s/out %s", fixture->directory, fixture->disk);
  g_autofree char *same = g_strdup_printf ("sh -c 'cd %s/out && [ \"$(ls -A | wc -l)\" = 3 ] && "
                                           "cmp z-last ../first && cmp ./-dash ../first "
                                           "&& cmp Program.1 ../other'",
                                           fixture->directory);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, large, -1);

  (void) data;
  g_assert_true (g_file_set_contents (fixture->other, large, -1, NULL));
  g_assert_true (dn_scan_disk_write (fixture->disk, files, 3, 1 << 20, sha256, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (sha256[1], ==, sum);
  run (extract);
  run (same);
  for (guint i = 0; i < 3; i++)
    g_free (sha256[i]);
}

static void
test_what_cannot_be_given_is_named (Fixture *fixture, gconstpointer data)
{
  const struct
  {
    const char *path;
    guint64 limit;
    int code;
  } cases[] = {
    { fixture->other, 100, DN_ERROR_NOT_FOUND },
    { fixture->directory, 100, DN_ERROR_CONFIG },
    { "/dev/zero", 100, DN_ERROR_CONFIG },
    { fixture->first, 5, DN_ERROR_LIMIT },
  };

  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const DnScanFile file = { cases[i].path, "x", FALSE };
      char *sha256[1] = { NULL };
      g_autoptr (GError) error = NULL;

      g_assert_false (dn_scan_disk_write (fixture->disk, &file, 1, cases[i].limit, sha256, &error));
      g_assert_error (error, DN_ERROR, cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].path));
      g_assert_null (sha256[0]);
      (void) g_unlink (fixture->disk);
    }
}

static void
test_names (void)
{
  g_assert_true (dn_scan_file_name_is_valid ("oval-definitions_12.xml"));
  g_assert_false (dn_scan_file_name_is_valid (""));
  g_assert_false (dn_scan_file_name_is_valid (".."));
  g_assert_false (dn_scan_file_name_is_valid ("a b"));
  g_assert_false (dn_scan_file_name_is_valid ("a/b"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/scan-disk/the disk is an erofs image of its files", Fixture, NULL, set_up,
              test_the_disk_is_an_erofs_image_of_its_files, tear_down);
  g_test_add ("/scan-disk/what cannot be given is named", Fixture, NULL, set_up,
              test_what_cannot_be_given_is_named, tear_down);
  g_test_add_func ("/scan-disk/names", test_names);
  return g_test_run ();
}
