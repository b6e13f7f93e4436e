/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/cli/log-reader.c launcher/base/log-format.c launcher/common/error.c */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "../../launcher/cli/log-reader.h"
#include "../../launcher/common/error.h"

typedef struct
{
  int halves[2];
  DnLogReader *reader;
} Log;

static void
set_up (Log *log, gconstpointer data)
{
  (void) data;
  for (int i = 0; i < 2; i++)
    {
      g_autofree char *path = NULL;

      log->halves[i] = g_file_open_tmp ("danchi-test-XXXXXX", &path, NULL);
      g_assert_cmpint (log->halves[i], >=, 0);
      (void) g_unlink (path);
    }
  log->reader = dn_log_reader_new (log->halves[0], log->halves[1]);
}

static void
tear_down (Log *log, gconstpointer data)
{
  (void) data;
  dn_log_reader_free (log->reader);
  (void) close (log->halves[0]);
  (void) close (log->halves[1]);
}

static void
append (Log *log, int half, const char *text)
{
  off_t end = lseek (log->halves[half], 0, SEEK_END);

  g_assert_cmpint (pwrite (log->halves[half], text, strlen (text), end), ==,
                   (ssize_t) strlen (text));
}

static void
begin_half (Log *log, int half, guint64 number)
{
  char line[DN_LOG_HEADER_MAX_BYTES + 1] = { 0 };

  g_assert_cmpint (ftruncate (log->halves[half], 0), ==, 0);
  line[dn_log_encode_header (line, number)] = '\0';
  append (log, half, line);
}

static void
add (Log *log, int half, const char *text)
{
  static char line[DN_LOG_LINE_MAX_BYTES + 1];
  const DnLogRecord record = { .time_ns = 1795320000000000000,
                               .source = DN_LOG_STDOUT,
                               .text = (const uint8_t *) text,
                               .text_bytes = strlen (text) };

  line[dn_log_encode_record (line, &record)] = '\0';
  append (log, half, line);
}

/* All there is now, with "|" after each. (transfer full) */
static char *
read_all (Log *log)
{
  GString *all = g_string_new (NULL);
  DnLogRecord record;
  int r;

  while ((r = dn_log_reader_next (log->reader, &record, NULL)) > 0)
    {
      g_string_append_len (all, (const char *) record.text, (gssize) record.text_bytes);
      g_string_append_c (all, '|');
    }
  g_assert_cmpint (r, ==, 0);
  return g_string_free (all, FALSE);
}

static void
expect (Log *log, const char *wanted)
{
  g_autofree char *all = read_all (log);

  g_assert_cmpstr (all, ==, wanted);
}

static void
test_an_empty_log_has_no_records_yet (Log *log, gconstpointer data)
{
  (void) data;
  expect (log, "");
  begin_half (log, 0, 1);
  expect (log, "");
  add (log, 0, "first");
  expect (log, "first|");
}

static void
test_the_older_half_comes_first (Log *log, gconstpointer data)
{
  (void) data;
  begin_half (log, 1, 7);
  add (log, 1, "old");
  begin_half (log, 0, 8);
  add (log, 0, "new");
  expect (log, "old|new|");
}

static void
test_it_follows_from_half_to_half (Log *log, gconstpointer data)
{
  (void) data;
  begin_half (log, 0, 1);
  add (log, 0, "a");
  expect (log, "a|");
  add (log, 0, "b");
  begin_half (log, 1, 2);
  add (log, 1, "c");
  expect (log, "b|c|");
  begin_half (log, 0, 3);
  add (log, 0, "d");
  expect (log, "d|");
}

static void
test_where_the_writer_went_round_it_goes_on_with_what_is_left (Log *log, gconstpointer data)
{
  (void) data;
  begin_half (log, 0, 1);
  add (log, 0, "a");
  expect (log, "a|");
  begin_half (log, 1, 4);
  add (log, 1, "x");
  begin_half (log, 0, 5);
  add (log, 0, "y");
  expect (log, "x|y|");
}

static void
test_a_line_is_read_once_it_is_whole (Log *log, gconstpointer data)
{
  (void) data;
  begin_half (log, 0, 1);
  append (log, 0, "{\"t\":\"2026-11-22T04:00:00.000000000Z\",\"s\":\"std");
  expect (log, "");
  append (log, 0, "out\",\"m\":\"whole\"}\n");
  expect (log, "whole|");
}

static void
test_damage_is_counted_and_passed_over (Log *log, gconstpointer data)
{
  g_autofree char *endless = g_strnfill (3 * DN_LOG_LINE_MAX_BYTES, 'x');

  (void) data;
  begin_half (log, 0, 1);
  append (log, 0, "nonsense\n{\"half\":9}\n\n");
  add (log, 0, "fine");
  append (log, 0, endless);
  append (log, 0, "\n");
  add (log, 0, "fine too");
  expect (log, "fine|fine too|");
  g_assert_cmpuint (dn_log_reader_count_damaged (log->reader), >=, 4);
}

static void
test_long_lines_and_many_of_them_arrive (Log *log, gconstpointer data)
{
  g_autofree char *text = g_strnfill (DN_LOG_TEXT_MAX_BYTES, '\1');
  DnLogRecord record;
  guint count = 0;

  (void) data;
  begin_half (log, 0, 1);
  for (int i = 0; i < 20; i++)
    add (log, 0, text);
  while (dn_log_reader_next (log->reader, &record, NULL) > 0)
    {
      g_assert_cmpmem (record.text, record.text_bytes, text, DN_LOG_TEXT_MAX_BYTES);
      count++;
    }
  g_assert_cmpuint (count, ==, 20);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add ("/cli/log-reader/" #name, Log, NULL, set_up, test_##name, tear_down)
  TEST (an_empty_log_has_no_records_yet);
  TEST (the_older_half_comes_first);
  TEST (it_follows_from_half_to_half);
  TEST (where_the_writer_went_round_it_goes_on_with_what_is_left);
  TEST (a_line_is_read_once_it_is_whole);
  TEST (damage_is_counted_and_passed_over);
  TEST (long_lines_and_many_of_them_arrive);
#undef TEST
  return g_test_run ();
}
