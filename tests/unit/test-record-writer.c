/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/record/*.c launcher/daemon/tree.c launcher/common/error.c launcher/common/json.c
 * launcher/common/names.c launcher/common/state-file.c */
/* The half of the audit record that has effects: writing, recovery, a disk that fails. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/common/error.h"
#include "../../launcher/daemon/tree.h"
#include "../../launcher/record/anchor.h"
#include "../../launcher/record/check.h"
#include "../../launcher/record/files.h"
#include "../../launcher/record/writer.h"

#define BODY "{\"verb\":\"gc\",\"phase\":\"whole\"}"
#define THREADS 16
#define EACH 40

typedef struct
{
  char *top;
  char *directory;
  char *anchor;
  char *first; /* the path of its first file */
} Place;

static Place
make_place (void)
{
  Place place = { .top = g_dir_make_tmp ("dn-XXXXXX", NULL) };

  place.directory = g_build_filename (place.top, "audit", NULL);
  place.anchor = g_build_filename (place.top, "audit-anchor", "head", NULL);
  place.first = g_build_filename (place.directory, "0001.jsonl", NULL);
  return place;
}

static void
clear_place (Place *place)
{
  g_assert_true (dn_tree_remove (place->top, NULL));
  g_free (place->top);
  g_free (place->directory);
  g_free (place->anchor);
  g_free (place->first);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, clear_place)

static DnRecordWriter *
open_sized (const Place *place, gint64 file_bytes, DnRecordForward *forward)
{
  const DnRecordPlan plan = { place->directory, place->anchor, TRUE, file_bytes };

  return dn_record_writer_new (&plan, forward);
}

static DnRecordWriter *
open_writer (const Place *place)
{
  return open_sized (place, 1 << 20, NULL);
}

static void
commit (DnRecordWriter *writer)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (dn_record_writer_commit (writer, BODY, DN_RECORD_NEW, NULL, &error));
  g_assert_no_error (error);
}

static void
write_lines (const Place *place, guint count)
{
  g_autoptr (DnRecordWriter) writer = open_writer (place);

  for (guint i = 0; i < count; i++)
    commit (writer);
}

/* By the anchor that is there, too. */
static DnRecordCheck *
check_place (const Place *place)
{
  DnRecordCheck *check = dn_record_check_new (1);
  g_autoptr (GError) error = NULL;
  DnRecordHead anchor;

  g_assert_true (dn_record_anchor_load (place->anchor, &anchor, &error));
  dn_record_check_anchor (check, &anchor, "anchor", TRUE);
  g_assert_true (dn_record_check_directory (check, place->directory, &error));
  return check;
}

static void
assert_whole (const Place *place, guint64 lines)
{
  g_autoptr (DnRecordCheck) check = check_place (place);

  for (guint i = 0; i < check->findings->len; i++)
    g_error ("%s", ((DnRecordFinding *) check->findings->pdata[i])->words);
  g_assert_cmpuint (check->lines, ==, lines);
  g_assert_cmpuint (check->last.seq, ==, lines);
}

static void
test_lines_survive_and_go_on (void)
{
  g_auto (Place) place = make_place ();
  struct stat status;

  write_lines (&place, 3);
  write_lines (&place, 2);
  assert_whole (&place, 5);
  g_assert_cmpint (stat (place.directory, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0700);
  g_assert_cmpint (stat (place.first, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
  g_assert_cmpint (stat (place.anchor, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
  g_assert_cmpint (status.st_size, ==, 2 * DN_RECORD_ANCHOR_PLACE_BYTES);
}

static gpointer
commit_many (gpointer writer)
{
  for (guint i = 0; i < EACH; i++)
    commit (writer);
  return NULL;
}

static void
test_many_threads_share_one_chain_over_files (void)
{
  g_auto (Place) place = make_place ();
  DnRecordWriter *writer = open_sized (&place, 20000, NULL);
  GThread *threads[THREADS];
  g_autoptr (GArray) numbers = NULL;

  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("commit", commit_many, writer);
  for (guint i = 0; i < THREADS; i++)
    (void) g_thread_join (threads[i]);
  dn_record_writer_post (writer, g_strdup (BODY));
  dn_record_writer_free (writer);
  assert_whole (&place, THREADS * EACH + 1);
  numbers = dn_record_files_list (place.directory, NULL);
  g_assert_cmpuint (numbers->len, >=, 5);
  write_lines (&place, 1);
  assert_whole (&place, THREADS * EACH + 2);
}

static void
append (const char *path, const char *text, gsize size)
{
  int fd = open (path, O_WRONLY | O_APPEND);

  g_assert_cmpint (write (fd, text, size), ==, (gssize) size);
  (void) close (fd);
}

static void
test_a_torn_line_is_cut_off_and_said (void)
{
  static const char zeros[700];
  static const struct
  {
    const char *text;
    gsize size;
  } torn[] = {
    { "{\"seq\":4,\"time_us\":17", 21 },
    { "\n", 1 },
    { zeros, sizeof zeros },
    { "{\"seq\":4}\n{\"seq\":5}\n{", 21 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (torn); i++)
    {
      g_auto (Place) place = make_place ();
      g_autoptr (DnRecordCheck) check = NULL;
      g_autofree char *text = NULL, *words = NULL;

      write_lines (&place, 3);
      append (place.first, torn[i].text, torn[i].size);
      write_lines (&place, 1);
      assert_whole (&place, 5);
      check = check_place (&place);
      g_assert_cmpuint (check->remarks->len, ==, 1);
      g_assert_true (g_file_get_contents (place.first, &text, NULL, NULL));
      words = g_strdup_printf ("%zu bytes of a torn line were cut off", torn[i].size);
      g_assert_nonnull (strstr (text, words));
    }
}

/* What a crash cannot have done is kept as it is, and said in a new file. */
static void
test_a_changed_end_is_not_cut_but_told (void)
{
  for (guint how = 0; how < 4; how++)
    {
      g_auto (Place) place = make_place ();
      g_autoptr (DnRecordCheck) check = NULL;
      g_autofree char *text = NULL, *after = NULL, *words = NULL;
      guint before;

      write_lines (&place, 4);
      g_assert_true (g_file_get_contents (place.first, &text, NULL, NULL));
      if (how == 0) /* the last line is gone */
        *(strrchr (g_strchomp (text), '\n') + 1) = '\0';
      else if (how == 1) /* changed */
        text[strlen (text) - 100] ^= 1;
      else if (how == 2) /* all is gone */
        text[0] = '\0';
      else /* the anchor is */
        g_assert_cmpint (g_unlink (place.anchor), ==, 0);
      g_assert_true (g_file_set_contents (place.first, text, -1, NULL));
      write_lines (&place, 1);
      g_assert_true (g_file_get_contents (place.first, &after, NULL, NULL));
      /* An empty file is gone on with. */
      g_assert_true (how == 2 || strcmp (text, after) == 0);
      check = check_place (&place);
      before = check->findings->len;
      g_assert_cmpuint (before, >=, 1);
      /* Told once, and the record goes on from there. */
      write_lines (&place, 1);
      g_clear_pointer (&check, dn_record_check_free);
      check = check_place (&place);
      g_assert_cmpuint (check->findings->len, ==, before);
    }
}

/* A crash right after the first line of all, before its anchor. */
static void
test_a_first_line_without_its_anchor_is_no_finding (void)
{
  g_auto (Place) place = make_place ();
  DnRecordHead none = { .time_us = 1 };
  g_autofree char *line = NULL;

  write_lines (&place, 1);
  g_strlcpy (none.hash, DN_RECORD_NO_HASH, sizeof none.hash);
  line = dn_record_anchor_print (&none);
  g_assert_true (g_file_set_contents (place.anchor, line, -1, NULL));
  assert_whole (&place, 1);
  write_lines (&place, 1);
  assert_whole (&place, 2);
}

static void
test_a_crash_between_two_files_is_survived (void)
{
  g_auto (Place) place = make_place ();
  g_autofree char *second = NULL;

  write_lines (&place, 3);
  second = g_build_filename (place.directory, "0002.jsonl", NULL);
  g_assert_true (g_file_set_contents (second, "", 0, NULL));
  write_lines (&place, 2);
  assert_whole (&place, 5);
}

/* The second place of the anchor is as good as the first. */
static void
test_half_an_anchor_is_enough (void)
{
  g_auto (Place) place = make_place ();
  g_autofree char *text = NULL;
  gsize size;

  for (guint half = 0; half < 2; half++)
    {
      write_lines (&place, 2);
      g_assert_true (g_file_get_contents (place.anchor, &text, &size, NULL));
      memset (text + half * DN_RECORD_ANCHOR_PLACE_BYTES, 'x', DN_RECORD_ANCHOR_PLACE_BYTES);
      g_assert_true (g_file_set_contents (place.anchor, text, (gssize) size, NULL));
      g_clear_pointer (&text, g_free);
    }
  write_lines (&place, 1);
  assert_whole (&place, 5);
}

/* A process with a file size limit stands for a disk that takes nothing more: write(2) fails with
 * EFBIG, in the middle of a line even. */
static void
limit_files (rlim_t bytes)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = bytes;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static void
test_a_failing_disk_refuses_and_comes_back (void)
{
  g_auto (Place) place = make_place ();
  g_autoptr (DnRecordWriter) writer = open_writer (&place);
  g_autoptr (GError) error = NULL;
  g_autofree char *failure = NULL;
  struct stat status;

  commit (writer);
  g_assert_cmpint (stat (place.first, &status), ==, 0);
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "audit record: *cannot be written*");
  /* The line begins to be written, and cannot be ended. */
  limit_files ((rlim_t) status.st_size + 50);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_false (dn_record_writer_commit (writer, BODY, DN_RECORD_FREE, NULL, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_FAILED);
      g_assert_nonnull (strstr (error->message, "cannot be written"));
      g_clear_error (&error);
    }
  g_test_assert_expected_messages ();
  failure = dn_record_writer_failure (writer);
  g_assert_nonnull (failure);
  /* What has happened waits for its line. */
  for (guint i = 0; i < DN_RECORD_BACKLOG_MAX + 10; i++)
    dn_record_writer_post (writer, g_strdup (BODY));
  dn_record_writer_flush (writer);
  limit_files (RLIM_INFINITY);
  commit (writer);
  dn_record_writer_flush (writer);
  g_clear_pointer (&failure, g_free);
  failure = dn_record_writer_failure (writer);
  g_assert_null (failure);
  g_clear_pointer (&writer, dn_record_writer_free);
  /* Two commits, what was kept, and one line for what was not. */
  assert_whole (&place, 1 + 1 + DN_RECORD_BACKLOG_MAX + 1);
}

static void
test_no_anchor_no_line (void)
{
  g_auto (Place) place = make_place ();
  g_autofree char *parent = g_path_get_dirname (place.anchor);
  const DnRecordPlan plan = { place.directory, place.anchor, FALSE, 1 << 20 };
  g_autoptr (DnRecordWriter) writer = dn_record_writer_new (&plan, NULL);
  g_autoptr (GError) error = NULL;

  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "audit record: *cannot be written*");
  g_assert_false (dn_record_writer_commit (writer, BODY, DN_RECORD_NEW, NULL, &error));
  g_assert_nonnull (strstr (error->message, place.anchor));
  g_test_assert_expected_messages ();
  g_assert_cmpint (g_mkdir (parent, 0700), ==, 0);
  commit (writer);
  g_clear_pointer (&writer, dn_record_writer_free);
  assert_whole (&place, 1);
}

/* kill -9 in the middle, again and again: the chain is whole, and whatever was answered is there.
 */
static void
test_a_kill_loses_nothing_that_was_answered (void)
{
  g_auto (Place) place = make_place ();
  guint64 answered = 0;

  /* On a busy machine a child may need more rounds until it has answered at all. */
  for (guint round = 0; round < 8 || (answered == 0 && round < 100); round++)
    {
      int answers[2];
      guint64 seq;
      pid_t child;

      g_assert_cmpint (pipe (answers), ==, 0);
      child = fork ();
      if (child == 0)
        {
          /* Every other time in the middle of beginning new files, too. */
          DnRecordWriter *writer = open_sized (&place, round % 2 == 0 ? 1 << 20 : 2000, NULL);

          while (dn_record_writer_commit (writer, BODY, DN_RECORD_NEW, &seq, NULL))
            {
              dn_record_writer_post (writer, g_strdup (BODY));
              (void) !write (answers[1], &seq, sizeof seq);
            }
          _exit (1);
        }
      g_usleep (20000 + round * 7000);
      (void) kill (child, SIGKILL);
      (void) waitpid (child, NULL, 0);
      (void) close (answers[1]);
      while (read (answers[0], &seq, sizeof seq) == sizeof seq)
        answered = seq;
      (void) close (answers[0]);
      if (answered > 0)
        {
          g_autoptr (DnRecordCheck) check = check_place (&place);

          g_assert_cmpuint (check->findings->len, ==, 0);
          g_assert_cmpuint (check->last.seq, >=, answered);
        }
    }
  g_assert_cmpuint (answered, >, 0);
  write_lines (&place, 1);
  {
    g_autoptr (DnRecordCheck) check = check_place (&place);

    g_assert_cmpuint (check->findings->len, ==, 0);
  }
}

/* A start looks at the end alone: a record of 64 MiB is as quick as an empty one. */
static void
test_a_start_with_a_large_record_is_quick (void)
{
  g_auto (Place) place = make_place ();
  gint64 start_us, took_us;
  int fd;

  write_lines (&place, 1);
  {
    /* Filled in front with a hole's zeros: what stands there is not looked at. */
    g_autofree char *text = NULL;
    gsize size;

    g_assert_true (g_file_get_contents (place.first, &text, &size, NULL));
    fd = open (place.first, O_WRONLY | O_TRUNC);
    g_assert_cmpint (pwrite (fd, text, size, 64 * 1024 * 1024), ==, (gssize) size);
    (void) close (fd);
  }
  start_us = g_get_monotonic_time ();
  {
    g_autoptr (DnRecordWriter) writer = open_sized (&place, G_MAXINT64, NULL);

    commit (writer);
    took_us = g_get_monotonic_time () - start_us;
  }
  /* The tail, the reserve and one sync, on a busy machine. */
  g_assert_cmpint (took_us, <, 1000000);
}

/* Whatever was left after the batch before: an own line of the longest for each of its commands. */
static void
test_a_batch_leaves_the_reserve_whole (void)
{
  g_auto (Place) place = make_place ();
  const DnRecordPlan plan = { place.directory, place.anchor, TRUE, 16 * DN_RECORD_BATCH_BYTES };
  DnRecordStore *store = dn_record_store_new (&plan, NULL);
  g_autoptr (GError) error = NULL;

  G_STATIC_ASSERT (DN_RECORD_BATCH_MAX * DN_RECORD_LINE_MAX_BYTES <= DN_RECORD_BATCH_BYTES);
  for (guint lines = 1; lines < 3 * DN_RECORD_BATCH_MAX; lines += 37)
    {
      g_assert_true (dn_record_store_prepare (store, &error));
      g_assert_no_error (error);
      g_assert_cmpint (dn_record_store_room (store) - DN_RECORD_BATCH_BYTES, >=,
                       DN_RECORD_RESERVE_BYTES);
      for (guint i = 0; i < lines; i++)
        (void) dn_record_store_add (store, BODY, g_get_real_time ());
      g_assert_true (dn_record_store_commit (store, &error));
      g_assert_no_error (error);
    }
  dn_record_store_free (store);
}

static int
listen_at (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  (void) g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

static char *
receive (int fd)
{
  char text[2 * DN_RECORD_LINE_MAX_BYTES];
  ssize_t n = recv (fd, text, sizeof text, 0);

  return n > 0 ? g_strndup (text, (gsize) n) : NULL;
}

static void
test_lines_go_to_the_journal_or_else_to_syslog (void)
{
  g_auto (Place) place = make_place ();
  g_autofree char *journal = g_build_filename (place.top, "journal", NULL);
  g_autofree char *syslog = g_build_filename (place.top, "log", NULL);
  DnRecordWriter *writer = open_sized (&place, 1 << 20, dn_record_forward_new (journal, syslog));
  g_autofree char *first = NULL, *second = NULL;
  int log_fd, journal_fd;

  commit (writer); /* neither is there */
  log_fd = listen_at (syslog);
  commit (writer);
  journal_fd = listen_at (journal);
  commit (writer);
  /* One that takes nothing: what does not fit is dropped, and nobody waits. */
  for (guint i = 0; i < 600; i++)
    dn_record_writer_post (writer, g_strdup (BODY));
  dn_record_writer_free (writer);
  first = receive (log_fd);
  second = receive (journal_fd);
  g_assert_true (g_str_has_prefix (first, "<86>danchid["));
  g_assert_nonnull (strstr (first, "]: {\"seq\":2,"));
  g_assert_true (g_str_has_prefix (second, "PRIORITY=6\n"));
  g_assert_nonnull (strstr (second, "\nMESSAGE={\"seq\":3,"));
  g_assert_true (g_str_has_suffix (second, "\"}\n"));
  (void) close (log_fd);
  (void) close (journal_fd);
  assert_whole (&place, 603);
}

int
main (int argc, char **argv)
{
  (void) signal (SIGXFSZ, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/record-writer/lines-survive-and-go-on", test_lines_survive_and_go_on);
  g_test_add_func ("/record-writer/many-threads-share-one-chain-over-files",
                   test_many_threads_share_one_chain_over_files);
  g_test_add_func ("/record-writer/a-torn-line-is-cut-off-and-said",
                   test_a_torn_line_is_cut_off_and_said);
  g_test_add_func ("/record-writer/a-changed-end-is-not-cut-but-told",
                   test_a_changed_end_is_not_cut_but_told);
  g_test_add_func ("/record-writer/a-first-line-without-its-anchor-is-no-finding",
                   test_a_first_line_without_its_anchor_is_no_finding);
  g_test_add_func ("/record-writer/a-crash-between-two-files-is-survived",
                   test_a_crash_between_two_files_is_survived);
  g_test_add_func ("/record-writer/half-an-anchor-is-enough", test_half_an_anchor_is_enough);
  g_test_add_func ("/record-writer/a-failing-disk-refuses-and-comes-back",
                   test_a_failing_disk_refuses_and_comes_back);
  g_test_add_func ("/record-writer/no-anchor-no-line", test_no_anchor_no_line);
  g_test_add_func ("/record-writer/a-kill-loses-nothing-that-was-answered",
                   test_a_kill_loses_nothing_that_was_answered);
  g_test_add_func ("/record-writer/a-start-with-a-large-record-is-quick",
                   test_a_start_with_a_large_record_is_quick);
  g_test_add_func ("/record-writer/a-batch-leaves-the-reserve-whole",
                   test_a_batch_leaves_the_reserve_whole);
  g_test_add_func ("/record-writer/lines-go-to-the-journal-or-else-to-syslog",
                   test_lines_go_to_the_journal_or_else_to_syslog);
  return g_test_run ();
}
