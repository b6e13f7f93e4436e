/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/limits/host-use.c */
#include "../../launcher/limits/host-use.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define STAT                                                                                       \
  "(qemu) x) y) S 1 7 7 0 -1 4194560 100 0 3 0 250 50 0 0 20 0 6 0 12345 9000000 4000 184467\n"
#define ROLLUP                                                                                     \
  "55d0-7ffc ---p 00000000 00:00 0  [rollup]\nRss:  90000 kB\nPss:  70000 kB\nPss_Anon: 1 kB\n"

static void
write_file (const char *root, gint pid, const char *name, const char *text)
{
  g_autofree char *directory = g_strdup_printf ("%s/proc/%d", root, pid);
  g_autofree char *path = g_build_filename (directory, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
remove_tree (const char *root)
{
  const char *const argv[] = { "rm", "-rf", root, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
}

static void
test_processor_time_and_the_proportional_share_of_memory_are_read (void)
{
  g_autofree char *root = g_dir_make_tmp ("danchi-host-use.XXXXXX", NULL);
  const guint64 tick_us = G_USEC_PER_SEC / (guint64) sysconf (_SC_CLK_TCK);
  DnHostUse use;

  write_file (root, 7, "stat", "7 " STAT);
  write_file (root, 7, "smaps_rollup", ROLLUP);
  write_file (root, 7, "statm", "9999 1000 10 1 0 1 0\n");
  g_assert_true (dn_host_use_read (root, 7, &use));
  g_assert_cmpuint (use.cpu_user_us, ==, 250 * tick_us);
  g_assert_cmpuint (use.cpu_system_us, ==, 50 * tick_us);
  g_assert_cmpuint (use.memory_bytes, ==, 70000 * 1024);
  remove_tree (root);
}

static void
test_without_the_share_the_resident_pages_count (void)
{
  g_autofree char *root = g_dir_make_tmp ("danchi-host-use.XXXXXX", NULL);
  DnHostUse use;

  write_file (root, 7, "stat", "7 " STAT);
  write_file (root, 7, "statm", "9999 1000 10 1 0 1 0\n");
  g_assert_true (dn_host_use_read (root, 7, &use));
  g_assert_cmpuint (use.memory_bytes, ==, 1000 * (guint64) sysconf (_SC_PAGESIZE));
  remove_tree (root);
}

static void
test_what_is_no_process_is_not_counted (void)
{
  static const char *const broken[] = { "", "7 qemu S 1", "7 (qemu", "7 (qemu) S 1 2 3" };
  g_autofree char *root = g_dir_make_tmp ("danchi-host-use.XXXXXX", NULL);
  DnHostUse use;

  g_assert_false (dn_host_use_read (root, 7, &use));
  g_assert_false (dn_host_use_read (root, 0, &use));
  g_assert_false (dn_host_use_read (root, -1, &use));
  for (gsize i = 0; i < G_N_ELEMENTS (broken); i++)
    {
      write_file (root, 7, "stat", broken[i]);
      g_assert_false (dn_host_use_read (root, 7, &use));
    }
  remove_tree (root);
}

static void
test_this_process_uses_something (void)
{
  DnHostUse use;

  g_assert_true (dn_host_use_read ("", (gint) getpid (), &use));
  g_assert_cmpuint (use.memory_bytes, >, 100 * 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host-use/processor time and the proportional share of memory are read",
                   test_processor_time_and_the_proportional_share_of_memory_are_read);
  g_test_add_func ("/host-use/without the share the resident pages count",
                   test_without_the_share_the_resident_pages_count);
  g_test_add_func ("/host-use/what is no process is not counted",
                   test_what_is_no_process_is_not_counted);
  g_test_add_func ("/host-use/this process uses something", test_this_process_uses_something);
  return g_test_run ();
}
