/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/cli/units.c launcher/common/signal-name.c launcher/common/error.c */
#include <glib.h>
#include <signal.h>

#include "../../launcher/cli/units.h"
#include "../../launcher/common/error.h"
#include "../../launcher/common/signal-name.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

static void
test_sizes_are_read_as_docker_reads_them (void)
{
  static const struct
  {
    const char *text;
    gint64 bytes;
  } sizes[] = {
    { "1", 1 },
    { "1024", 1024 },
    { "512b", 512 },
    { "1k", 1024 },
    { "1K", 1024 },
    { "2kb", 2048 },
    { "512m", 536870912 },
    { "1g", 1073741824 },
    { "1.5g", 1610612736 },
    { "1GiB", 1073741824 },
    { "0.5k", 512 },
    { "1t", 1099511627776 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      gint64 bytes = 0;
      g_autoptr (GError) error = NULL;

      g_assert_true (dn_units_parse_size (sizes[i].text, &bytes, &error));
      g_assert_cmpint (bytes, ==, sizes[i].bytes);
    }
}

static void
test_what_is_no_size_is_refused (void)
{
  static const char *const texts[]
      = { "",    "0",   "-1", "m",  "1x",    "1 m",      "1mm", "0x10",  "inf",
          "nan", "1e9", "1.", "+1", "1kib2", "9999999p", "1bb", "1.2.3", "99999999999999999999" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      gint64 bytes = 42;
      g_autoptr (GError) error = NULL;

      g_assert_false (dn_units_parse_size (texts[i], &bytes, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
      g_assert_cmpint (bytes, ==, 42);
    }
}

static void
test_processors_are_decimal_numbers (void)
{
  double cpus;

  g_assert_true (dn_units_parse_cpus ("1.5", &cpus, NULL));
  g_assert_cmpfloat (cpus, ==, 1.5);
  g_assert_true (dn_units_parse_cpus (".5", &cpus, NULL));
  g_assert_cmpfloat (cpus, ==, 0.5);
  g_assert_false (dn_units_parse_cpus ("0", &cpus, NULL));
  g_assert_false (dn_units_parse_cpus ("-1", &cpus, NULL));
  g_assert_false (dn_units_parse_cpus (".", &cpus, NULL));
  g_assert_false (dn_units_parse_cpus ("0.00001", &cpus, NULL));
  g_assert_false (dn_units_parse_cpus ("100000", &cpus, NULL));
}

static void
test_durations_have_units_or_are_seconds (void)
{
  gint64 us;

  g_assert_true (dn_units_parse_duration ("90", &us, NULL));
  g_assert_cmpint (us, ==, 90 * SECOND);
  g_assert_true (dn_units_parse_duration ("1h30m", &us, NULL));
  g_assert_cmpint (us, ==, 5400 * SECOND);
  g_assert_true (dn_units_parse_duration ("1.5s", &us, NULL));
  g_assert_cmpint (us, ==, 1500000);
  g_assert_true (dn_units_parse_duration ("250ms", &us, NULL));
  g_assert_cmpint (us, ==, 250000);
  g_assert_true (dn_units_parse_duration ("2d", &us, NULL));
  g_assert_cmpint (us, ==, 172800 * SECOND);
  g_assert_false (dn_units_parse_duration ("1h30", &us, NULL));
  g_assert_false (dn_units_parse_duration ("", &us, NULL));
  g_assert_false (dn_units_parse_duration ("-5m", &us, NULL));
  g_assert_false (dn_units_parse_duration ("m", &us, NULL));
  g_assert_false (dn_units_parse_duration ("99999999d", &us, NULL));
}

static void
test_times_are_dates_or_seconds_or_durations_ago (void)
{
  gint64 now = 1000000 * SECOND, us;

  g_assert_true (dn_units_parse_time ("2026-11-22T04:00:00Z", now, &us, NULL));
  g_assert_cmpint (us, ==, 1795320000 * SECOND);
  g_assert_true (dn_units_parse_time ("2026-11-22T05:00:00.5+01:00", now, &us, NULL));
  g_assert_cmpint (us, ==, 1795320000 * SECOND + 500000);
  g_assert_true (dn_units_parse_time ("1795320000", now, &us, NULL));
  g_assert_cmpint (us, ==, 1795320000 * SECOND);
  g_assert_true (dn_units_parse_time ("1795320000.123456789", now, &us, NULL));
  g_assert_cmpint (us, ==, 1795320000 * SECOND + 123456);
  g_assert_true (dn_units_parse_time ("10m", now, &us, NULL));
  g_assert_cmpint (us, ==, now - 600 * SECOND);
  g_assert_true (dn_units_parse_time ("2026-11-22", now, &us, NULL));
  g_assert_true (dn_units_parse_time ("2026-11-22T04:00", now, &us, NULL));
  g_assert_false (dn_units_parse_time ("yesterday", now, &us, NULL));
  g_assert_false (dn_units_parse_time ("2026-13-22", now, &us, NULL));
  g_assert_false (dn_units_parse_time ("", now, &us, NULL));
  g_assert_false (dn_units_parse_time ("1.", now, &us, NULL));
}

static void
test_sizes_are_shown_with_three_digits_or_so (void)
{
  static const struct
  {
    gint64 bytes;
    const char *text;
  } sizes[] = { { 0, "0B" },
                { 1023, "1023B" },
                { 1024, "1KiB" },
                { 1258291, "1.20MiB" },
                { 50000000, "47.7MiB" },
                { 130023424, "124MiB" },
                { 1073741824, "1GiB" } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *text = dn_units_format_size (sizes[i].bytes);

      g_assert_cmpstr (text, ==, sizes[i].text);
    }
}

static void
test_lengths_of_time_are_shown_in_words (void)
{
  static const struct
  {
    gint64 seconds;
    const char *text;
  } lengths[]
      = { { -5, "Less than a second" }, { 0, "Less than a second" }, { 1, "1 second" },
          { 59, "59 seconds" },         { 60, "About a minute" },    { 3599, "59 minutes" },
          { 3600, "About an hour" },    { 7300, "2 hours" },         { 172800, "2 days" },
          { 1209600, "2 weeks" },       { 6000000, "2 months" },     { 100000000, "3 years" } };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autofree char *text = dn_units_format_duration (lengths[i].seconds * SECOND);

      g_assert_cmpstr (text, ==, lengths[i].text);
    }
}

static void
test_signals_have_names_and_numbers (void)
{
  static const struct
  {
    const char *text;
    guint number;
  } signals[] = { { "KILL", 9 },   { "SIGKILL", 9 }, { "sigterm", 15 }, { "15", 15 },
                  { "hup", 1 },    { "RTMIN", 34 },  { "RTMIN+3", 37 }, { "SIGRTMAX-1", 63 },
                  { "RTMAX", 64 }, { "64", 64 },     { "WINCH", 28 } };
  static const char *const wrong[]
      = { "", "0", "65", "SIG", "NOSUCH", "RTMIN+99", "RTMIN-1", "-9", "9 ", "KILLX" };
  guint number = 0;

  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      g_assert_true (dn_signal_parse (signals[i].text, &number, NULL));
      g_assert_cmpuint (number, ==, signals[i].number);
    }
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (dn_signal_parse (wrong[i], &number, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/cli/units/" #name, test_##name)
  TEST (sizes_are_read_as_docker_reads_them);
  TEST (what_is_no_size_is_refused);
  TEST (processors_are_decimal_numbers);
  TEST (durations_have_units_or_are_seconds);
  TEST (times_are_dates_or_seconds_or_durations_ago);
  TEST (sizes_are_shown_with_three_digits_or_so);
  TEST (lengths_of_time_are_shown_in_words);
  TEST (signals_have_names_and_numbers);
#undef TEST
  return g_test_run ();
}
