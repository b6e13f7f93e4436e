/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/unpack/tree.c guest-agent/unpack/tree-walk.c guest-agent/unpack/failure.c
 * guest-agent/unpack/path-table.c guest-agent/unpack/delta.c */
/* The tree that layers go into: names that stay inside, links that may not lead out. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../guest-agent/unpack/delta.h"
#include "../../guest-agent/unpack/tree.h"

typedef struct
{
  char *path;
  DnTree *tree;
  DnFailure failure;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->path = g_dir_make_tmp ("danchi-tree-XXXXXX", NULL);
  g_assert_nonnull (fixture->path);
  fixture->tree
      = dn_tree_new (open (fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), &fixture->failure);
  g_assert_nonnull (fixture->tree);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  (void) data;
  dn_tree_free (fixture->tree);
  g_autofree char *command = g_strdup_printf ("rm -rf '%s'", fixture->path);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_free (fixture->path);
}

static void
make (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->path, name, NULL);

  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
}

static gboolean
exists (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->path, name, NULL);
  struct stat status;

  return lstat (path, &status) == 0;
}

static void
test_names_are_brought_into_one_form (void)
{
  char name[64];
  DnFailure failure;

  g_assert_true (dn_tree_check_name ("./a//b/./c/", name, &failure));
  g_assert_cmpstr (name, ==, "a/b/c");
  g_assert_true (dn_tree_check_name ("./", name, &failure));
  g_assert_cmpstr (name, ==, "");
  g_assert_true (dn_tree_check_name ("..a/b..", name, &failure));
  g_assert_cmpstr (name, ==, "..a/b..");
}

static void
test_names_that_leave_are_refused (void)
{
  const char *const names[] = { "/etc/passwd", "..", "a/../b", "a/..", "../a", "./../a" };
  char name[64];

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      DnFailure failure = { 0 };

      g_assert_false (dn_tree_check_name (names[i], name, &failure));
      g_assert_cmpint (failure.status, ==, -EINVAL);
    }
}

static void
test_names_over_the_limits_are_refused (void)
{
  g_autofree char *component = g_strnfill (256, 'a');
  g_autofree char *name = g_malloc (2 * DN_PATH_BYTES);
  g_autoptr (GString) deep = g_string_new (NULL);
  DnFailure failure;

  g_assert_false (dn_tree_check_name (component, name, &failure));
  for (int i = 0; i <= DN_TREE_DEPTH_MAX; i++)
    g_string_append (deep, "d/");
  g_assert_false (dn_tree_check_name (deep->str, name, &failure));
  g_string_truncate (deep, 0);
  while (deep->len <= DN_PATH_BYTES)
    g_string_append (deep, "abcdefg/");
  g_assert_false (dn_tree_check_name (deep->str, name, &failure));
  g_assert_cmpint (failure.status, ==, -ENAMETOOLONG);
}

static void
test_missing_parents_are_made_only_when_asked (Fixture *fixture, gconstpointer data)
{
  const char *base;

  (void) data;
  g_assert_cmpint (dn_tree_open_parent (fixture->tree, "a/b/c", FALSE, &base, &fixture->failure), <,
                   0);
  g_assert_cmpint (fixture->failure.status, ==, -ENOENT);
  g_assert_false (exists (fixture, "a"));
  g_assert_cmpint (dn_tree_open_parent (fixture->tree, "a/b/c", TRUE, &base, &fixture->failure), >=,
                   0);
  g_assert_cmpstr (base, ==, "c");
  g_assert_true (exists (fixture, "a/b"));
}

static void
test_an_absolute_link_begins_at_the_trees_root (Fixture *fixture, gconstpointer data)
{
  const char *base;
  int parent;

  (void) data;
  g_assert_cmpint (symlinkat ("/run", dn_tree_root (fixture->tree), "var"), ==, 0);
  parent = dn_tree_open_parent (fixture->tree, "var/x/file", TRUE, &base, &fixture->failure);
  g_assert_cmpint (parent, >=, 0);
  g_assert_true (exists (fixture, "run/x"));
  g_assert_false (g_file_test ("/run/x", G_FILE_TEST_EXISTS));
}

static void
test_a_link_may_go_up_but_not_out (Fixture *fixture, gconstpointer data)
{
  const char *base;

  (void) data;
  g_assert_cmpint (mkdirat (dn_tree_root (fixture->tree), "usr", 0755), ==, 0);
  g_assert_cmpint (mkdirat (dn_tree_root (fixture->tree), "opt", 0755), ==, 0);
  g_assert_cmpint (symlinkat ("../opt", dn_tree_root (fixture->tree), "usr/up"), ==, 0);
  g_assert_cmpint (symlinkat ("../../opt", dn_tree_root (fixture->tree), "usr/out"), ==, 0);
  g_assert_cmpint (dn_tree_open_parent (fixture->tree, "usr/up/f", FALSE, &base, &fixture->failure),
                   >=, 0);
  g_assert_cmpint (dn_tree_open_parent (fixture->tree, "usr/out/f", TRUE, &base, &fixture->failure),
                   <, 0);
  g_assert_cmpint (fixture->failure.status, ==, -EXDEV);
}

static void
test_links_in_a_circle_end (Fixture *fixture, gconstpointer data)
{
  const char *base;

  (void) data;
  g_assert_cmpint (symlinkat ("b", dn_tree_root (fixture->tree), "a"), ==, 0);
  g_assert_cmpint (symlinkat ("a", dn_tree_root (fixture->tree), "b"), ==, 0);
  g_assert_cmpint (dn_tree_open_parent (fixture->tree, "a/f", TRUE, &base, &fixture->failure), <,
                   0);
  g_assert_cmpint (fixture->failure.status, ==, -ELOOP);
}

static void
test_a_removed_directory_is_not_found_again_by_its_old_descriptor (Fixture *fixture,
                                                                   gconstpointer data)
{
  const char *base;

  (void) data;
  g_assert_cmpint (dn_tree_open_parent (fixture->tree, "d/f", TRUE, &base, &fixture->failure), >=,
                   0);
  g_assert_true (
      dn_tree_remove (fixture->tree, dn_tree_root (fixture->tree), "d", &fixture->failure));
  g_assert_cmpint (symlinkat ("../..", dn_tree_root (fixture->tree), "d"), ==, 0);
  g_assert_cmpint (dn_tree_open_parent (fixture->tree, "d/f", TRUE, &base, &fixture->failure), <,
                   0);
}

static int
parent_of (Fixture *fixture, const char *name)
{
  const char *base;
  int parent = dn_tree_open_parent (fixture->tree, name, TRUE, &base, &fixture->failure);

  g_assert_cmpint (parent, >=, 0);
  return parent;
}

static void
test_an_opaque_directory_keeps_what_its_own_layer_wrote (Fixture *fixture, gconstpointer data)
{
  (void) data;
  (void) parent_of (fixture, "d/sub/f");
  make (fixture, "d/lower");
  make (fixture, "d/sub/lower");
  make (fixture, "d/sub/upper");
  g_assert_true (dn_tree_mark (fixture->tree, parent_of (fixture, "d/sub/x"), "upper", NULL,
                               &fixture->failure));
  g_assert_true (dn_tree_hide_all (fixture->tree, parent_of (fixture, "d/x"), &fixture->failure));
  g_assert_false (exists (fixture, "d/lower"));
  g_assert_false (exists (fixture, "d/sub/lower"));
  g_assert_true (exists (fixture, "d/sub/upper"));
}

static void
test_a_whiteout_hides_what_is_below_and_not_what_its_layer_wrote (Fixture *fixture,
                                                                  gconstpointer data)
{
  int root = dn_tree_root (fixture->tree);

  (void) data;
  make (fixture, "lower");
  make (fixture, "own");
  (void) parent_of (fixture, "d/f");
  make (fixture, "d/lower");
  make (fixture, "d/own");
  g_assert_true (dn_tree_mark (fixture->tree, root, "own", NULL, &fixture->failure));
  g_assert_true (
      dn_tree_mark (fixture->tree, parent_of (fixture, "d/f"), "own", NULL, &fixture->failure));
  g_assert_true (dn_tree_hide (fixture->tree, root, "lower", &fixture->failure));
  g_assert_true (dn_tree_hide (fixture->tree, root, "own", &fixture->failure));
  g_assert_true (dn_tree_hide (fixture->tree, root, "d", &fixture->failure));
  g_assert_true (dn_tree_hide (fixture->tree, root, "never-was", &fixture->failure));
  g_assert_false (exists (fixture, "lower"));
  g_assert_true (exists (fixture, "own"));
  g_assert_false (exists (fixture, "d/lower"));
  g_assert_true (exists (fixture, "d/own"));
  /* What takes a name's place is not spared. */
  g_assert_true (dn_tree_remove (fixture->tree, root, "d", &fixture->failure));
  g_assert_false (exists (fixture, "d"));
}

static void
test_a_name_is_the_same_by_whichever_way (Fixture *fixture, gconstpointer data)
{
  (void) data;
  (void) parent_of (fixture, "usr/lib/f");
  make (fixture, "usr/lib/own");
  g_assert_cmpint (symlinkat ("/usr/lib", dn_tree_root (fixture->tree), "lib"), ==, 0);
  g_assert_true (
      dn_tree_mark (fixture->tree, parent_of (fixture, "lib/own"), "own", NULL, &fixture->failure));
  g_assert_true (
      dn_tree_hide (fixture->tree, parent_of (fixture, "usr/lib/own"), "own", &fixture->failure));
  g_assert_true (exists (fixture, "usr/lib/own"));
}

static void
test_directories_get_their_times_at_the_end (Fixture *fixture, gconstpointer data)
{
  const struct timespec mtime = { .tv_sec = 1234567, .tv_nsec = 89 };
  g_autofree char *path = g_build_filename (fixture->path, "d", NULL);
  g_autofree char *implied = g_build_filename (fixture->path, "d/implied", NULL);
  int directory = open (fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DnPathTable *notes;
  struct stat status;
  guint64 files;

  (void) data;
  g_assert_cmpint (g_mkdir (path, 0755), ==, 0);
  g_assert_true (
      dn_tree_mark (fixture->tree, dn_tree_root (fixture->tree), "d", &mtime, &fixture->failure));
  make (fixture, "d/a");
  (void) parent_of (fixture, "d/implied/b");
  make (fixture, "d/implied/b");
  notes = dn_tree_end (g_steal_pointer (&fixture->tree));
  g_assert_true (dn_delta_finish (directory, notes, NULL, 0, &files, &fixture->failure));
  dn_path_table_free (notes);
  close (directory);
  g_assert_cmpuint (files, ==, 5);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mtim.tv_sec, ==, mtime.tv_sec);
  g_assert_cmpint (status.st_mtim.tv_nsec, ==, mtime.tv_nsec);
  g_assert_cmpint (stat (implied, &status), ==, 0);
  g_assert_cmpint (status.st_mtim.tv_sec, ==, 0);
}

static void
test_the_table_of_paths_remembers_a_million (void)
{
  DnPathTable *table = dn_path_table_new ();
  char name[32];

  for (guint i = 0; i < 1000000; i++)
    {
      const DnPathNote note = { .is_written = i % 3 != 0, .mtime = { .tv_sec = (time_t) i } };

      g_snprintf (name, sizeof name, "f%u", i);
      dn_path_table_set (table, dn_path_key ("/a/b", name), note);
    }
  dn_path_table_clear (table, dn_path_key ("/a/b/f7", ""));
  for (guint i = 0; i < 1000000; i++)
    {
      DnPathNote note;

      g_snprintf (name, sizeof name, "f%u", i);
      note = dn_path_table_get (table, dn_path_key ("/a/b", name));
      g_assert_true (note.is_written == (i % 3 != 0 && i != 7));
      g_assert_cmpint (note.mtime.tv_sec, ==, i != 7 ? (gint64) i : 0);
    }
  g_assert_false (dn_path_table_get (table, dn_path_key ("/a", "f1")).is_written);
  dn_path_table_free (table);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/unpack/tree/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/unpack/tree/names-are-brought-into-one-form",
                   test_names_are_brought_into_one_form);
  g_test_add_func ("/unpack/tree/names-that-leave-are-refused", test_names_that_leave_are_refused);
  g_test_add_func ("/unpack/tree/names-over-the-limits-are-refused",
                   test_names_over_the_limits_are_refused);
  g_test_add_func ("/unpack/tree/the-table-of-paths-remembers-a-million",
                   test_the_table_of_paths_remembers_a_million);
  ADD ("missing-parents-are-made-only-when-asked", test_missing_parents_are_made_only_when_asked);
  ADD ("an-absolute-link-begins-at-the-trees-root", test_an_absolute_link_begins_at_the_trees_root);
  ADD ("a-link-may-go-up-but-not-out", test_a_link_may_go_up_but_not_out);
  ADD ("links-in-a-circle-end", test_links_in_a_circle_end);
  ADD ("a-removed-directory-is-not-found-again-by-its-old-descriptor",
       test_a_removed_directory_is_not_found_again_by_its_old_descriptor);
  ADD ("an-opaque-directory-keeps-what-its-own-layer-wrote",
       test_an_opaque_directory_keeps_what_its_own_layer_wrote);
  ADD ("a-whiteout-hides-what-is-below-and-not-what-its-layer-wrote",
       test_a_whiteout_hides_what_is_below_and_not_what_its_layer_wrote);
  ADD ("a-name-is-the-same-by-whichever-way", test_a_name_is_the_same_by_whichever_way);
  ADD ("directories-get-their-times-at-the-end", test_directories_get_their_times_at_the_end);
  return g_test_run ();
}
