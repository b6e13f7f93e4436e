/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/base/log-format.c */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../launcher/base/log-format.h"

static void
check_text (const char *text, gsize size, const char *escaped, const char *decoded)
{
  DnLogRecord record
      = { .source = DN_LOG_STDERR, .text = (const guint8 *) text, .text_bytes = size };
  g_autofree char *line = g_malloc (DN_LOG_LINE_MAX_BYTES);
  g_autofree guint8 *buffer = g_malloc (DN_LOG_LINE_MAX_BYTES);
  gsize length = dn_log_encode_record (line, &record);
  g_autofree char *wanted = g_strdup_printf (
      "{\"t\":\"1970-01-01T00:00:00.000000000Z\",\"s\":\"stderr\",\"m\":\"%s\"}\n", escaped);
  DnLogRecord back;

  g_assert_cmpmem (line, length, wanted, strlen (wanted));
  g_assert_cmpint (dn_log_decode_record (line, length - 1, buffer, &back), ==, 0);
  g_assert_cmpmem (back.text, back.text_bytes, decoded, strlen (decoded));
  g_assert_cmpint (back.source, ==, DN_LOG_STDERR);
  g_assert_false (back.is_partial);
}

static void
test_escapes_what_could_do_harm (void)
{
  check_text ("plain", 5, "plain", "plain");
  check_text ("say \"hi\" \\o/", 12, "say \\\"hi\\\" \\\\o/", "say \"hi\" \\o/");
  check_text ("\x1b[31m\t\r", 7, "\\u001b[31m\\u0009\\u000d", "\x1b[31m\t\r");
  check_text ("\x7f\xc2\x9b", 3, "\\u007f\\u009b", "\x7f\xc2\x9b");
  check_text ("\xe5\x9b\xa3\xf0\x9f\x8f\xa2", 7, "\xe5\x9b\xa3\xf0\x9f\x8f\xa2",
              "\xe5\x9b\xa3\xf0\x9f\x8f\xa2");
}

static void
test_replaces_what_is_no_utf8 (void)
{
  check_text ("a\xff", 2, "a\\ufffd", "a\xef\xbf\xbd");
  check_text ("\xc0\xaf", 2, "\\ufffd\\ufffd", "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong */
  check_text ("\xed\xa0\x80", 3, "\\ufffd\\ufffd\\ufffd",
              "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");                      /* a surrogate */
  check_text ("\xe5\x9b", 2, "\\ufffd\\ufffd", "\xef\xbf\xbd\xef\xbf\xbd"); /* torn */
  check_text ("\xf4\x90\x80\x80", 4, "\\ufffd\\ufffd\\ufffd\\ufffd",
              "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* over U+10FFFF */
}

static void
test_times_agree_with_glib_for_three_centuries (void)
{
  char line[DN_LOG_LINE_MAX_BYTES];
  guint8 buffer[sizeof line];

  for (gint64 day = 0; day < 106600; day += 13)
    {
      gint64 seconds = day * 86400 + day * 7919 % 86400;
      DnLogRecord record = { .time_ns = seconds * 1000000000 + 42, .source = DN_LOG_STDOUT };
      gsize size = dn_log_encode_record (line, &record);
      g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);
      g_autofree char *wanted = g_date_time_format (time, "{\"t\":\"%Y-%m-%dT%H:%M:%S.000000042Z");
      DnLogRecord back;

      if (seconds * 1000000000 / 1000000000 != seconds || g_date_time_get_year (time) > 2261)
        break;
      g_assert_cmpint (strncmp (line, wanted, strlen (wanted)), ==, 0);
      g_assert_cmpint (dn_log_decode_record (line, size - 1, buffer, &back), ==, 0);
      g_assert_cmpint (back.time_ns, ==, record.time_ns);
    }
}

static void
test_the_longest_record_fits (void)
{
  g_autofree guint8 *text = g_malloc0 (DN_LOG_TEXT_MAX_BYTES);
  g_autofree char *line = g_malloc (DN_LOG_LINE_MAX_BYTES);
  DnLogRecord record = {
    .source = DN_LOG_STDOUT, .is_partial = true, .text = text, .text_bytes = DN_LOG_TEXT_MAX_BYTES
  };

  g_assert_cmpuint (dn_log_encode_record (line, &record), <=, DN_LOG_LINE_MAX_BYTES);
}

static void
test_reads_its_own_notes_and_headers (void)
{
  DnLogRecord record
      = { .source = DN_LOG_DANCHI, .dropped_lines = G_MAXUINT64, .dropped_bytes = 3 };
  char line[512];
  guint8 buffer[512];
  gsize size = dn_log_encode_record (line, &record);
  DnLogRecord back;
  guint64 number = 0;

  g_assert_cmpint (dn_log_decode_record (line, size - 1, buffer, &back), ==, 0);
  g_assert_cmpuint (back.dropped_lines, ==, G_MAXUINT64);
  g_assert_cmpuint (back.dropped_bytes, ==, 3);
  size = dn_log_encode_header (line, 12);
  g_assert_cmpmem (line, size, "{\"half\":12}\n", 12);
  g_assert_cmpint (dn_log_decode_header (line, size - 1, &number), ==, 0);
  g_assert_cmpuint (number, ==, 12);
  size = dn_log_encode_header (line, G_MAXUINT64);
  g_assert_cmpuint (size, <, DN_LOG_HEADER_MAX_BYTES);
}

static void
test_refuses_everything_else (void)
{
  static const char *const lines[] = {
    "",
    "{}",
    "{\"half\":1}",
    "{\"t\":\"1970-01-01T00:00:00.000000000Z\",\"s\":\"stdout\",\"m\":\"x\"",
    "{\"t\":\"1970-01-01T00:00:00.000000000Z\",\"s\":\"stdout\",\"m\":\"x\"} ",
    "{\"t\":\"1970-01-01T00:00:00.000000000Z\",\"s\":\"stdout\",\"m\":\"\\n\"}",
    "{\"t\":\"1970-01-01T00:00:00.000000000Z\",\"s\":\"stdout\",\"m\":\"\\u12\"}",
    "{\"t\":\"1970-01-01T00:00:00.000000000Z\",\"s\":\"stdout\",\"m\":\"\\u0041\"}",
    "{\"t\":\"1970-01-01T00:00:00.000000000Z\",\"s\":\"stdin\",\"m\":\"x\"}",
    "{\"t\":\"1970-13-01T00:00:00.000000000Z\",\"s\":\"stdout\",\"m\":\"x\"}",
    "{\"t\":\"9999-01-01T00:00:00.000000000Z\",\"s\":\"stdout\",\"m\":\"x\"}",
    "{\"t\":\"1970-01-01T00:00:00.0Z\",\"s\":\"stdout\",\"m\":\"x\"}",
    "{\"t\":\"1970-01-01T00:00:00.000000000Z\",\"s\":\"danchi\",\"dropped_lines\":01,"
    "\"dropped_bytes\":1}",
    "{\"t\":\"1970-01-01T00:00:00.000000000Z\",\"s\":\"danchi\",\"dropped_lines\":"
    "18446744073709551616,\"dropped_bytes\":1}",
  };
  guint8 buffer[512];
  DnLogRecord record;
  guint64 number;

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    g_assert_cmpint (dn_log_decode_record (lines[i], strlen (lines[i]), buffer, &record), ==,
                     -EPROTO);
  g_assert_cmpint (dn_log_decode_header ("{\"half\":0}", 10, &number), ==, -EPROTO);
  g_assert_cmpint (dn_log_decode_header ("{\"half\":", 8, &number), ==, -EPROTO);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/log-format/" #name, test_##name)
  TEST (escapes_what_could_do_harm);
  TEST (replaces_what_is_no_utf8);
  TEST (times_agree_with_glib_for_three_centuries);
  TEST (the_longest_record_fits);
  TEST (reads_its_own_notes_and_headers);
  TEST (refuses_everything_else);
  return g_test_run ();
}
