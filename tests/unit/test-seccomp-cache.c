/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/seccomp*.c launcher/spec/capability.c launcher/common/[ejp]*.c */
/* Packages: libseccomp */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/spec/seccomp-cache.h"
#include "../../launcher/spec/spec.h"
#include "golden.h"

#define KEY "0123"

static char *top; /* a temporary directory */

static GBytes *
some_filter (guint8 seed)
{
  guint8 bytes[64];

  memset (bytes, seed, sizeof bytes);
  return g_bytes_new (bytes, sizeof bytes);
}

static char *
fresh_directory (const char *name)
{
  return g_build_filename (top, name, NULL);
}

static void
test_keeps_a_filter_in_a_file_of_its_own (void)
{
  g_autofree char *directory = fresh_directory ("keeps");
  g_autofree char *path = g_build_filename (directory, KEY ".bpf", NULL);
  g_autoptr (GBytes) filter = some_filter (7), kept = NULL;
  GStatBuf status;

  g_assert_null (dn_seccomp_cache_get (directory, KEY));
  dn_seccomp_cache_put (directory, KEY, filter);
  kept = dn_seccomp_cache_get (directory, KEY);
  g_assert_true (g_bytes_equal (filter, kept));
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
  g_assert_cmpint (g_stat (directory, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0700);
}

/* Copies a written file to another key, which no memory knows, with one change. */
static GBytes *
get_changed (const char *directory, const char *key, gssize size, gssize flip)
{
  g_autofree char *path = g_build_filename (directory, KEY ".bpf", NULL);
  g_autofree char *other = g_strdup_printf ("%s/%s.bpf", directory, key);
  g_autofree char *bytes = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  if (flip >= 0)
    bytes[flip] ^= 1;
  g_assert_true (g_file_set_contents (other, bytes, size >= 0 ? size : (gssize) length, NULL));
  return dn_seccomp_cache_get (directory, key);
}

static void
test_takes_a_damaged_file_for_none (void)
{
  g_autofree char *directory = fresh_directory ("damaged");
  g_autoptr (GBytes) filter = some_filter (9), copy = NULL;
  const gssize file_bytes = 48 + 64;

  dn_seccomp_cache_put (directory, KEY, filter);
  copy = get_changed (directory, "whole", -1, -1);
  g_assert_true (g_bytes_equal (filter, copy));
  for (gssize i = 0; i < file_bytes; i++)
    {
      g_autofree char *key = g_strdup_printf ("flip%zd", i);
      g_autofree char *shorter = g_strdup_printf ("cut%zd", i);

      /* Bytes 44 to 47 are of no meaning. */
      if (i < 44 || i > 47)
        g_assert_null (get_changed (directory, key, -1, i));
      g_assert_null (get_changed (directory, shorter, i, -1));
    }
}

static void
test_follows_no_link_and_waits_for_no_pipe (void)
{
  g_autofree char *directory = fresh_directory ("odd");
  g_autofree char *fifo = g_build_filename (directory, "fifo.bpf", NULL);
  g_autofree char *link_path = g_build_filename (directory, "link.bpf", NULL);
  g_autoptr (GBytes) filter = some_filter (3);

  dn_seccomp_cache_put (directory, KEY, filter);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_null (dn_seccomp_cache_get (directory, "fifo"));
  g_assert_cmpint (symlink (KEY ".bpf", link_path), ==, 0);
  g_assert_null (dn_seccomp_cache_get (directory, "link"));
}

static void
test_a_directory_that_cannot_be_written_costs_speed_only (void)
{
  g_autoptr (GBytes) filter = some_filter (5), kept = NULL;

  dn_seccomp_cache_put ("/proc/no/such/place", KEY, filter);
  kept = dn_seccomp_cache_get ("/proc/no/such/place", KEY);
  g_assert_true (g_bytes_equal (filter, kept)); /* from memory */
}

static void
test_memory_is_bounded (void)
{
  for (guint i = 0; i < 10 * DN_SECCOMP_CACHE_MAX; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);
      g_autoptr (GBytes) filter = some_filter ((guint8) i), kept = NULL;

      dn_seccomp_cache_put ("/proc/no/such/place", key, filter);
      kept = dn_seccomp_cache_get ("/proc/no/such/place", key);
      g_assert_nonnull (kept);
    }
  g_assert_null (dn_seccomp_cache_get ("/proc/no/such/place", "k0"));
}

static void
test_compiling_twice_gives_the_same_and_names_the_profile (void)
{
  g_autofree char *hash = NULL, *other_hash = NULL, *text = NULL, *expected = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) first = dn_seccomp_compile (NULL, DN_SECCOMP_DEFAULT, 0, &hash, &error);
  g_autoptr (GBytes) second = NULL, other = NULL;
  const char *profile = "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"action\": "
                        "\"SCMP_ACT_ALLOW\", \"names\": [\"read\", \"write\", \"close\", "
                        "\"execve\", \"exit_group\"]}]}";

  g_assert_no_error (error);
  second = dn_seccomp_compile (NULL, DN_SECCOMP_DEFAULT, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (first, second));
  g_assert_true (g_file_get_contents ("config/seccomp/default.json", &text, NULL, NULL));
  expected = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  g_assert_cmpstr (hash, ==, expected);
  other = dn_seccomp_compile (profile, DN_SECCOMP_DEFAULT, 0, &other_hash, &error);
  g_assert_no_error (error);
  g_assert_false (g_bytes_equal (first, other));
  g_assert_cmpstr (hash, !=, other_hash);
}

/* Makes TOP/config/seccomp/default.json and so on what dn_paths() finds. */
static void
make_top (void)
{
  g_autofree char *text = NULL, *file = NULL, *config = NULL, *state = NULL, *directory = NULL;

  top = g_dir_make_tmp ("danchi-seccomp-XXXXXX", NULL);
  g_assert_nonnull (top);
  config = g_build_filename (top, "config", NULL);
  state = g_build_filename (top, "state", NULL);
  directory = g_build_filename (config, "seccomp", NULL);
  file = g_build_filename (directory, "default.json", NULL);
  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (state, 0700), ==, 0);
  g_assert_true (g_file_get_contents ("config/seccomp/default.json", &text, NULL, NULL));
  g_assert_true (g_file_set_contents (file, text, -1, NULL));
  dn_paths_override (config, state, NULL);
  (void) dn_paths (); /* copies them */
}

static void
remove_top (void)
{
  const char *argv[] = { "rm", "-rf", "--", top, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
  g_free (top);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  make_top ();
#define ADD(name, function) g_test_add_func ("/seccomp-cache/" name, function)
  ADD ("keeps-a-filter-in-a-file-of-its-own", test_keeps_a_filter_in_a_file_of_its_own);
  ADD ("takes-a-damaged-file-for-none", test_takes_a_damaged_file_for_none);
  ADD ("follows-no-link-and-waits-for-no-pipe", test_follows_no_link_and_waits_for_no_pipe);
  ADD ("a-directory-that-cannot-be-written-costs-speed-only",
       test_a_directory_that_cannot_be_written_costs_speed_only);
  ADD ("memory-is-bounded", test_memory_is_bounded);
  ADD ("compiling-twice-gives-the-same-and-names-the-profile",
       test_compiling_twice_gives_the_same_and_names_the_profile);
  status = g_test_run ();
  remove_top ();
  return status;
}
