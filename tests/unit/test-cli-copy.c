/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/cli/copy-stream.c launcher/cli/copy-out.c launcher/cli/copy-in.c
   launcher/cli/copy-spec.c protocol/copy.c protocol/pack.c launcher/common/error.c */
/* Copies: what a well-behaved guest sends arrives, what a hostile one sends stays inside. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/cli/copy-in.h"
#include "../../launcher/cli/copy-out.h"
#include "../../launcher/common/error.h"

/* A directory of its own for each test, and a stream that the test writes as the guest. */
typedef struct
{
  char *top;     /* owned */
  char *outside; /* owned; a file that must stay as it is */
  int stream;    /* a temporary file: written first, then read */
  guint64 max_bytes;
  DnCopyReader reader;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL;

  (void) data;
  f->top = g_dir_make_tmp ("danchi-test-XXXXXX", NULL);
  g_assert_nonnull (f->top);
  f->outside = g_build_filename (f->top, "outside", NULL);
  g_assert_true (g_file_set_contents (f->outside, "untouched", -1, NULL));
  path = g_build_filename (f->top, "into", NULL);
  g_assert_cmpint (g_mkdir (path, 0755), ==, 0);
  f->stream = open (f->top, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  g_assert_cmpint (f->stream, >=, 0);
  f->max_bytes = 1 << 20;
  (void) umask (022);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  char *argv[] = { (char *) "/bin/rm", (char *) "-rf", f->top, NULL };

  (void) data;
  (void) close (f->stream);
  g_assert_true (g_spawn_sync (NULL, argv, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL));
  g_free (f->top);
  g_free (f->outside);
}

static void
put (Fixture *f, DnCopyKind kind, guint mode, const char *name, const char *text)
{
  gboolean is_file = kind == DN_COPY_FILE;

  g_assert_true (dn_copy_write_item (f->stream, kind, mode, is_file ? strlen (text) : 0, 1000, name,
                                     kind == DN_COPY_LINK ? text : "", NULL));
  if (is_file)
    g_assert_true (dn_copy_write (f->stream, text, strlen (text), NULL));
}

static void
put_end (Fixture *f)
{
  put (f, DN_COPY_END, 0, "", "");
}

static gboolean
receive (Fixture *f, const char *source_word, const char *destination, GError **error)
{
  g_autofree char *path = g_strconcat (f->top, "/", destination, NULL);
  DnCopySpec source, target;
  gboolean is_fine;

  g_assert_true (dn_copy_spec_parse (source_word, &source, NULL));
  g_assert_true (dn_copy_spec_parse (path, &target, NULL));
  (void) lseek (f->stream, 0, SEEK_SET);
  f->reader = (DnCopyReader){ .fd = f->stream, .bytes_left = f->max_bytes };
  is_fine = dn_copy_out_receive (&f->reader, &source, &target, error);
  dn_copy_spec_clear (&source);
  dn_copy_spec_clear (&target);
  return is_fine;
}

static void
expect_file (Fixture *f, const char *name, const char *text, guint mode)
{
  g_autofree char *path = g_build_filename (f->top, name, NULL);
  g_autofree char *found = NULL;
  struct stat status;

  g_assert_cmpint (lstat (path, &status), ==, 0);
  g_assert_true (S_ISREG (status.st_mode));
  g_assert_cmpint (status.st_mode & 07777, ==, mode);
  g_assert_true (g_file_get_contents (path, &found, NULL, NULL));
  g_assert_cmpstr (found, ==, text);
}

static void
expect_link (Fixture *f, const char *name, const char *target)
{
  g_autofree char *path = g_build_filename (f->top, name, NULL);
  g_autofree char *found = g_file_read_link (path, NULL);

  g_assert_cmpstr (found, ==, target);
}

static void
expect_nothing (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->top, name, NULL);
  struct stat status;

  g_assert_cmpint (lstat (path, &status), ==, -1);
}

static void
test_a_file_goes_into_a_directory_that_is_there (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f, DN_COPY_FILE, 0666, "hosts", "text");
  put_end (f);
  g_assert_true (receive (f, "web:/etc/hosts", "into", NULL));
  g_assert_true (f->reader.has_ended);
  expect_file (f, "into/hosts", "text", 0644);
}

static void
test_a_file_takes_the_name_it_is_given (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f, DN_COPY_FILE, 0755, "hosts", "text");
  put_end (f);
  g_assert_true (receive (f, "web:/etc/hosts", "into/other", NULL));
  expect_file (f, "into/other", "text", 0755);
}

static void
test_a_file_is_written_over_where_the_user_named_it (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f, DN_COPY_FILE, 0600, "hosts", "new");
  put_end (f);
  g_assert_true (receive (f, "web:/etc/hosts", "outside", NULL));
  expect_file (f, "outside", "new", 0644);
}

static void
put_tree (Fixture *f)
{
  put (f, DN_COPY_DIRECTORY, 0700, "tree", "");
  put (f, DN_COPY_DIRECTORY, 0500, "tree/a", "");
  put (f, DN_COPY_FILE, 0644, "tree/a/file", "x");
  put (f, DN_COPY_LINK, 0777, "tree/link", "/etc/passwd");
  put_end (f);
}

static void
test_a_tree_arrives_with_its_links_as_links (Fixture *f, gconstpointer data)
{
  (void) data;
  put_tree (f);
  g_assert_true (receive (f, "web:/srv/tree", "into", NULL));
  expect_file (f, "into/tree/a/file", "x", 0644);
  expect_link (f, "into/tree/link", "/etc/passwd");
}

static void
test_a_tree_takes_the_name_of_a_directory_that_is_not_there (Fixture *f, gconstpointer data)
{
  (void) data;
  put_tree (f);
  g_assert_true (receive (f, "web:/srv/tree", "into/new", NULL));
  expect_file (f, "into/new/a/file", "x", 0644);
}

static void
test_contents_go_straight_into_the_directory (Fixture *f, gconstpointer data)
{
  (void) data;
  put_tree (f);
  g_assert_true (receive (f, "web:/srv/tree/.", "into", NULL));
  expect_file (f, "into/a/file", "x", 0644);
}

static void
test_the_same_tree_twice_is_no_error (Fixture *f, gconstpointer data)
{
  (void) data;
  put_tree (f);
  g_assert_true (receive (f, "web:/srv/tree", "into", NULL));
  g_assert_true (receive (f, "web:/srv/tree", "into", NULL));
  expect_link (f, "into/tree/link", "/etc/passwd");
}

static void
test_destinations_that_do_not_fit_are_refused (Fixture *f, gconstpointer data)
{
  (void) data;
  put_tree (f);
  g_assert_false (receive (f, "web:/srv/tree", "outside", NULL));
  g_assert_false (receive (f, "web:/srv/tree", "no/such/parent", NULL));
  expect_file (f, "outside", "untouched", 0644);
}

static void
test_a_file_into_a_directory_that_is_not_there_is_refused (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f, DN_COPY_FILE, 0644, "hosts", "text");
  put_end (f);
  g_assert_false (receive (f, "web:/etc/hosts", "nowhere/", NULL));
  expect_nothing (f, "nowhere");
}

static void
expect_refused (Fixture *f, DnError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (receive (f, "web:/srv/tree", "into", &error));
  g_assert_error (error, DN_ERROR, (int) code);
  expect_file (f, "outside", "untouched", 0644);
}

static void
test_names_that_lead_out_are_refused (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "../outside", "tree/../../outside", "/etc/x", "tree//x",
                                       "tree/.",     "other/file",         "treex" };

  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_assert_cmpint (ftruncate (f->stream, 0), ==, 0);
      (void) lseek (f->stream, 0, SEEK_SET);
      put (f, DN_COPY_DIRECTORY, 0755, "tree", "");
      put (f, DN_COPY_FILE, 0644, names[i], "evil");
      put_end (f);
      expect_refused (f, DN_ERROR_PROTOCOL);
    }
}

static void
test_links_that_the_guest_sent_are_not_followed (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f, DN_COPY_DIRECTORY, 0755, "tree", "");
  put (f, DN_COPY_LINK, 0777, "tree/up", "../..");
  put (f, DN_COPY_FILE, 0644, "tree/up/outside", "evil");
  put_end (f);
  expect_refused (f, DN_ERROR_FAILED);
}

static void
test_a_link_in_place_of_a_directory_is_not_used (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f, DN_COPY_DIRECTORY, 0755, "tree", "");
  put (f, DN_COPY_LINK, 0777, "tree/up", "../..");
  put (f, DN_COPY_DIRECTORY, 0755, "tree/up", "");
  put_end (f);
  expect_refused (f, DN_ERROR_FAILED);
}

static void
test_a_file_replaces_a_link_and_is_not_written_through_it (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f, DN_COPY_DIRECTORY, 0755, "tree", "");
  put (f, DN_COPY_LINK, 0777, "tree/file", "../../outside");
  put (f, DN_COPY_FILE, 0644, "tree/file", "mine");
  put_end (f);
  g_assert_true (receive (f, "web:/srv/tree", "into", NULL));
  expect_file (f, "into/tree/file", "mine", 0644);
  expect_file (f, "outside", "untouched", 0644);
}

static void
test_links_that_were_there_before_are_not_followed_either (Fixture *f, gconstpointer data)
{
  g_autofree char *link = g_build_filename (f->top, "into", "tree", NULL);

  (void) data;
  g_assert_cmpint (symlink ("..", link), ==, 0);
  put (f, DN_COPY_DIRECTORY, 0755, "tree", "");
  put (f, DN_COPY_FILE, 0644, "tree/outside", "evil");
  put_end (f);
  expect_refused (f, DN_ERROR_FAILED);
}

static void
test_more_bytes_than_allowed_are_refused (Fixture *f, gconstpointer data)
{
  (void) data;
  f->max_bytes = 5;
  put (f, DN_COPY_DIRECTORY, 0755, "tree", "");
  put (f, DN_COPY_FILE, 0644, "tree/a", "123");
  put (f, DN_COPY_FILE, 0644, "tree/b", "456");
  put_end (f);
  expect_refused (f, DN_ERROR_LIMIT);
}

static void
test_a_second_file_for_one_name_is_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  (void) data;
  put (f, DN_COPY_FILE, 0644, "hosts", "one");
  put (f, DN_COPY_FILE, 0644, "hosts", "two");
  put_end (f);
  g_assert_false (receive (f, "web:/etc/hosts", "outside", &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_PROTOCOL);
}

static void
test_a_stream_that_stops_is_noticed (Fixture *f, gconstpointer data)
{
  (void) data;
  put (f, DN_COPY_DIRECTORY, 0755, "tree", "");
  g_assert_true (receive (f, "web:/srv/tree", "into", NULL));
  g_assert_true (f->reader.is_cut);
  g_assert_false (f->reader.has_ended);
  g_assert_true (dn_copy_write_item (f->stream, DN_COPY_FILE, 0644, 100, 0, "tree/x", "", NULL));
  expect_refused (f, DN_ERROR_PROTOCOL);
}

static void
test_broken_entries_are_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *garbage = g_strnfill (DN_COPY_HEADER_BYTES, '\377');

  (void) data;
  g_assert_true (dn_copy_write (f->stream, garbage, DN_COPY_HEADER_BYTES, NULL));
  expect_refused (f, DN_ERROR_PROTOCOL);
}

static void
test_what_goes_in_comes_out_the_same (Fixture *f, gconstpointer data)
{
  g_autofree char *source = g_build_filename (f->top, "source", NULL);
  g_autofree char *file = g_build_filename (source, "sub", "file", NULL);
  g_autofree char *sub = g_build_filename (source, "sub", NULL);
  g_autofree char *link = g_build_filename (source, "link", NULL);

  (void) data;
  g_assert_cmpint (g_mkdir_with_parents (sub, 0755), ==, 0);
  g_assert_true (g_file_set_contents (file, "content", -1, NULL));
  g_assert_cmpint (chmod (file, 04755), ==, 0);
  g_assert_cmpint (symlink ("../../outside", link), ==, 0);
  g_assert_true (dn_copy_in_send (f->stream, source, "source", NULL));
  g_assert_true (receive (f, "web:/srv/source", "into", NULL));
  expect_file (f, "into/source/sub/file", "content", 0755);
  expect_link (f, "into/source/link", "../../outside");
}

static void
test_contents_go_in_without_their_directory (Fixture *f, gconstpointer data)
{
  g_autofree char *source = g_build_filename (f->top, "into", NULL);
  g_autofree char *file = g_build_filename (source, "file", NULL);
  g_autofree DnCopyItem *item = g_new0 (DnCopyItem, 1);

  (void) data;
  g_assert_true (g_file_set_contents (file, "content", -1, NULL));
  g_assert_true (dn_copy_in_send (f->stream, source, "", NULL));
  (void) lseek (f->stream, 0, SEEK_SET);
  f->reader = (DnCopyReader){ .fd = f->stream, .bytes_left = 1000 };
  g_assert_cmpint (dn_copy_reader_next (&f->reader, item, NULL), ==, 1);
  g_assert_cmpstr (item->name, ==, "file");
}

static void
test_devices_and_pipes_do_not_go_in (Fixture *f, gconstpointer data)
{
  g_autofree char *pipe_path = g_build_filename (f->top, "into", "pipe", NULL);
  g_autofree char *into = g_build_filename (f->top, "into", NULL);
  g_autoptr (GError) error = NULL;

  (void) data;
  g_assert_cmpint (mkfifo (pipe_path, 0600), ==, 0);
  g_assert_false (dn_copy_in_send (f->stream, into, "into", &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, pipe_path));
  g_clear_error (&error);
  g_assert_false (dn_copy_in_send (f->stream, "/dev/null", "null", &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
}

int
main (int argc, char **argv)
{
  (void) signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add ("/cli/copy/" #name, Fixture, NULL, set_up, test_##name, tear_down)
  TEST (a_file_goes_into_a_directory_that_is_there);
  TEST (a_file_takes_the_name_it_is_given);
  TEST (a_file_is_written_over_where_the_user_named_it);
  TEST (a_tree_arrives_with_its_links_as_links);
  TEST (a_tree_takes_the_name_of_a_directory_that_is_not_there);
  TEST (contents_go_straight_into_the_directory);
  TEST (the_same_tree_twice_is_no_error);
  TEST (destinations_that_do_not_fit_are_refused);
  TEST (a_file_into_a_directory_that_is_not_there_is_refused);
  TEST (names_that_lead_out_are_refused);
  TEST (links_that_the_guest_sent_are_not_followed);
  TEST (a_link_in_place_of_a_directory_is_not_used);
  TEST (a_file_replaces_a_link_and_is_not_written_through_it);
  TEST (links_that_were_there_before_are_not_followed_either);
  TEST (more_bytes_than_allowed_are_refused);
  TEST (a_second_file_for_one_name_is_refused);
  TEST (a_stream_that_stops_is_noticed);
  TEST (broken_entries_are_refused);
  TEST (what_goes_in_comes_out_the_same);
  TEST (contents_go_in_without_their_directory);
  TEST (devices_and_pipes_do_not_go_in);
#undef TEST
  return g_test_run ();
}
