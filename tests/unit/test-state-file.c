/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/state-file.c launcher/daemon/tree.c launcher/daemon/json-build.c
 * launcher/common/error.c launcher/common/json.c */
/* Packages: json-glib-1.0 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/state-file.h"
#include "../../launcher/daemon/json-build.h"
#include "../../launcher/daemon/tree.h"

static void
test_what_is_written_is_read (void)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "state.json", NULL);
  JsonObject *object = json_object_new ();
  g_autoptr (JsonNode) node = dn_json_node_take (object);
  g_autoptr (JsonNode) again = NULL;
  g_autoptr (GError) error = NULL;
  struct stat status;

  /* Each of the control characters, one of which json-glib writes raw. */
  json_object_set_string_member (object, "text", "\x01\x1e\x1f\x7f\n\"\\");
  json_object_set_int_member (object, "big", G_MAXINT64);
  g_assert_true (dn_state_file_write (path, node, &error));
  g_assert_true (dn_state_file_write (path, node, &error));
  again = dn_state_file_read (path, &error);
  g_assert_no_error (error);
  g_assert_true (json_node_equal (node, again));
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
  g_assert_true (dn_tree_remove (directory, NULL));
}

static void
test_a_file_that_is_not_there_is_told_from_a_damaged_one (void)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "state.json", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (dn_state_file_read (path, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "{\"a\":1", -1, NULL));
  g_assert_null (dn_state_file_read (path, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "[1]", -1, NULL));
  g_assert_null (dn_state_file_read (path, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_true (dn_tree_remove (directory, NULL));
}

static void
test_nothing_is_left_beside_the_file (void)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "x.conf", NULL);
  g_autoptr (GDir) listing = NULL;

  g_assert_true (dn_state_file_write_text (path, "a\n", 2, 0644, NULL));
  listing = g_dir_open (directory, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (listing), ==, "x.conf");
  g_assert_null (g_dir_read_name (listing));
  g_assert_true (dn_tree_remove (directory, NULL));
}

static void
test_a_tree_is_removed_without_following_links (void)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-XXXXXX", NULL);
  g_autofree char *inside = g_build_filename (directory, "inside", NULL);
  g_autofree char *deep = g_build_filename (inside, "deep", NULL);
  g_autofree char *kept = g_build_filename (directory, "kept", NULL);
  g_autofree char *file = g_build_filename (kept, "file", NULL);
  g_autofree char *link = g_build_filename (deep, "link", NULL);

  g_assert_true (dn_tree_make (inside, 0711, NULL));
  g_assert_true (dn_tree_make (deep, 0700, NULL));
  g_assert_true (dn_tree_make (kept, 0700, NULL));
  g_assert_true (g_file_set_contents (file, "x", -1, NULL));
  g_assert_cmpint (symlink (kept, link), ==, 0);
  g_assert_true (dn_tree_remove (inside, NULL));
  g_assert_false (g_file_test (inside, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (file, G_FILE_TEST_EXISTS));
  g_assert_true (dn_tree_remove (inside, NULL));
  g_assert_true (dn_tree_remove (directory, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/state-file/what-is-written-is-read", test_what_is_written_is_read);
  g_test_add_func ("/state-file/a-file-that-is-not-there-is-told-from-a-damaged-one",
                   test_a_file_that_is_not_there_is_told_from_a_damaged_one);
  g_test_add_func ("/state-file/nothing-is-left-beside-the-file",
                   test_nothing_is_left_beside_the_file);
  g_test_add_func ("/state-file/a-tree-is-removed-without-following-links",
                   test_a_tree_is_removed_without_following_links);
  return g_test_run ();
}
