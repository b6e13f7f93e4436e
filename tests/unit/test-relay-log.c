/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/relay/log.c launcher/confined/bucket.c launcher/base/log-format.c */
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../launcher/relay/log.h"

#define CAP (512 * 1024)
#define S 1000000000ull

typedef struct
{
  int fds[2]; /* ours, beside the log's */
  DnLog *log;
  DnLogTime time;
} Fixture;

static void
reopen (Fixture *fixture, guint64 rate)
{
  int fds[2] = { dup (fixture->fds[0]), dup (fixture->fds[1]) };

  if (fixture->log != NULL)
    dn_log_free (fixture->log, fixture->time);
  fixture->log = dn_log_new (fds, CAP, rate, fixture->time);
  g_assert_nonnull (fixture->log);
}

static Fixture
fixture_new (guint64 rate)
{
  Fixture fixture = { .time = { .real_ns = 1763784000123456789, .now_ns = S } };

  for (int i = 0; i < 2; i++)
    {
      g_autofree char *path = NULL;

      fixture.fds[i] = g_file_open_tmp ("danchi-test-XXXXXX", &path, NULL);
      (void) unlink (path);
    }
  reopen (&fixture, rate);
  return fixture;
}

static void
fixture_clear (Fixture *fixture)
{
  dn_log_free (fixture->log, fixture->time);
  (void) close (fixture->fds[0]);
  (void) close (fixture->fds[1]);
}

static gsize
write_text (Fixture *fixture, const char *text, bool is_last)
{
  return dn_log_write (fixture->log, DN_LOG_STDOUT, (const guint8 *) text, strlen (text), is_last,
                       fixture->time);
}

static char *
read_half (const Fixture *fixture, int half)
{
  off_t size = lseek (fixture->fds[half], 0, SEEK_END);
  char *text = g_malloc0 ((gsize) size + 1);

  g_assert_cmpint (pread (fixture->fds[half], text, (gsize) size, 0), ==, size);
  return text;
}

static void
test_writes_a_record_for_each_line (void)
{
  Fixture fixture = fixture_new (0);
  g_autofree char *text = NULL;

  g_assert_cmpuint (write_text (&fixture, "one\n\ntwo\nthr", false), ==, 9);
  g_assert_cmpuint (write_text (&fixture, "three", true), ==, 5);
  text = read_half (&fixture, 0);
  g_assert_cmpstr (text, ==,
                   "{\"half\":1}\n"
                   "{\"t\":\"2025-11-22T04:00:00.123456789Z\",\"s\":\"stdout\",\"m\":\"one\"}\n"
                   "{\"t\":\"2025-11-22T04:00:00.123456789Z\",\"s\":\"stdout\",\"m\":\"\"}\n"
                   "{\"t\":\"2025-11-22T04:00:00.123456789Z\",\"s\":\"stdout\",\"m\":\"two\"}\n"
                   "{\"t\":\"2025-11-22T04:00:00.123456789Z\",\"s\":\"stdout\",\"m\":\"three\","
                   "\"p\":true}\n");
  fixture_clear (&fixture);
}

static void
test_splits_long_lines_between_characters (void)
{
  Fixture fixture = fixture_new (0);
  g_autofree char *line = g_malloc (3 * DN_LOG_TEXT_MAX_BYTES + 1);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  /* Three bytes each, so that the limit falls into one. */
  for (gsize i = 0; i < DN_LOG_TEXT_MAX_BYTES; i++)
    memcpy (line + 3 * i, "\xe5\x9b\xa3", 3);
  line[3 * DN_LOG_TEXT_MAX_BYTES - 1] = '\n';
  line[3 * DN_LOG_TEXT_MAX_BYTES] = '\0';
  g_assert_cmpuint (write_text (&fixture, line, false), ==, 3 * DN_LOG_TEXT_MAX_BYTES);
  text = read_half (&fixture, 0);
  lines = g_strsplit (text, "\n", -1);
  g_assert_nonnull (strstr (lines[1], "\xe5\x9b\xa3\",\"p\":true}"));
  g_assert_null (strstr (lines[1], "\\ufffd"));
  fixture_clear (&fixture);
}

static void
test_never_outgrows_its_cap_and_numbers_its_halves (void)
{
  Fixture fixture = fixture_new (0);
  guint64 numbers[2];

  for (int i = 0; i < 20000; i++)
    {
      (void) write_text (&fixture, "a line that is about as long as lines are in logs\n", false);
      g_assert_cmpint (lseek (fixture.fds[0], 0, SEEK_END), <=, CAP / 2);
      g_assert_cmpint (lseek (fixture.fds[1], 0, SEEK_END), <=, CAP / 2);
    }
  for (int i = 0; i < 2; i++)
    {
      g_autofree char *text = read_half (&fixture, i);

      g_assert_cmpint (
          dn_log_decode_header (text, (gsize) (strchr (text, '\n') - text), &numbers[i]), ==, 0);
      g_assert_cmpint (text[strlen (text) - 1], ==, '\n');
    }
  g_assert_cmpuint (MAX (numbers[0], numbers[1]) - MIN (numbers[0], numbers[1]), ==, 1);
  fixture_clear (&fixture);
}

static void
test_goes_on_where_it_ended_and_cuts_a_torn_record (void)
{
  Fixture fixture = fixture_new (0);
  g_autofree char *text = NULL;

  (void) write_text (&fixture, "before\n", false);
  g_assert_cmpint (pwrite (fixture.fds[0], "{\"t\":\"20", 8, lseek (fixture.fds[0], 0, SEEK_END)),
                   ==, 8);
  reopen (&fixture, 0);
  (void) write_text (&fixture, "after\n", false);
  text = read_half (&fixture, 0);
  g_assert_nonnull (strstr (text, "\"before\"}\n{\"t\":"));
  g_assert_nonnull (strstr (text, "\"after\"}\n"));
  g_assert_null (strstr (text, "\"20{"));
  g_assert_cmpint (lseek (fixture.fds[1], 0, SEEK_END), ==, 0);
  fixture_clear (&fixture);
}

static void
test_drops_and_counts_what_is_over_the_rate (void)
{
  Fixture fixture = fixture_new (10000);
  guint64 lines, bytes;
  g_autofree char *text = NULL;

  for (int i = 0; i < 5000; i++)
    (void) write_text (&fixture, "0123456789012345\n", false);
  g_assert_true (dn_log_is_dropping (fixture.log));
  g_assert_true (dn_log_take_dropped (fixture.log, &lines, &bytes));
  g_assert_cmpuint (lines, ==, 4500); /* four seconds' worth passed: 500 of 80 bytes */
  g_assert_cmpuint (bytes, ==, 4500 * 16);
  g_assert_cmpint (lseek (fixture.fds[0], 0, SEEK_END), <, 60000);
  dn_log_settle (fixture.log, fixture.time);
  g_assert_true (dn_log_is_dropping (fixture.log));
  fixture.time.now_ns += 2 * S;
  dn_log_settle (fixture.log, fixture.time);
  g_assert_false (dn_log_is_dropping (fixture.log));
  text = read_half (&fixture, 0);
  g_assert_true (g_str_has_suffix (
      text, "\"s\":\"danchi\",\"dropped_lines\":4500,\"dropped_bytes\":72000}\n"));
  fixture_clear (&fixture);
}

static void
test_a_file_system_without_room_counts_as_dropped (void)
{
  Fixture fixture = fixture_new (0);
  struct rlimit before, small;
  guint64 lines, bytes;
  g_autofree char *text = NULL;

  (void) signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small = (struct rlimit){ .rlim_cur = 100, .rlim_max = before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_cmpuint (write_text (&fixture, "lost\n", false), ==, 5);
  g_assert_cmpuint (write_text (&fixture, "lost too\n", false), ==, 9);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_true (dn_log_take_dropped (fixture.log, &lines, &bytes));
  g_assert_cmpuint (lines, >=, 1);
  g_assert_cmpuint (write_text (&fixture, "room again\n", false), ==, 11);
  text = read_half (&fixture, 0);
  g_assert_nonnull (strstr (text, "\"dropped_lines\":"));
  g_assert_nonnull (strstr (text, "\"room again\"}\n"));
  fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/relay/log/" #name, test_##name)
  TEST (writes_a_record_for_each_line);
  TEST (splits_long_lines_between_characters);
  TEST (never_outgrows_its_cap_and_numbers_its_halves);
  TEST (goes_on_where_it_ended_and_cuts_a_torn_record);
  TEST (drops_and_counts_what_is_over_the_rate);
  TEST (a_file_system_without_room_counts_as_dropped);
  return g_test_run ();
}
