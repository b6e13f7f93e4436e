/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/intake/verdict.c launcher/images/scan.c launcher/images/scan-lines.c
 * launcher/common/scan-words.c launcher/common/names.c
 * launcher/common/json.c launcher/common/error.c */
/* Packages: json-glib-1.0 */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/images/scan-lines.h"
#include "../../launcher/intake/verdict.h"

static void
add_line (const char *line, gpointer data)
{
  g_ptr_array_add (data, g_strdup (line));
}

/* The whole way of a verdict: the jail's reader, its lines, danchid's check of them. */
static DnScan *
judge_bytes (const char *text, gsize size, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (DnScanLines) lines = dn_scan_lines_new ();

  if (!dn_verdict_read (text, size, add_line, all, error))
    {
      g_assert_cmpuint (all->len, ==, 0);
      return NULL;
    }
  for (guint i = 0; i < all->len; i++)
    {
      g_auto (GStrv) words = g_strsplit (all->pdata[i], " ", -1);

      g_assert_cmpuint (strlen (all->pdata[i]), <, 1022);
      g_assert_true (g_str_is_ascii (all->pdata[i]));
      dn_scan_lines_add (lines, words, error);
      g_assert_no_error (*error);
    }
  return dn_scan_lines_finish (lines, error);
}

static DnScan *
judge (const char *text, GError **error)
{
  return judge_bytes (text, strlen (text), error);
}

static void
test_a_verdict_comes_through_and_is_kept (void)
{
  static const char text[]
      = "{\"verdict\":\"fail\",\"summary\":\"zwei T\xc3\xbcren "
        "100%\",\"scanned\":[1,2],\"findings\":["
        "{\"id\":\"CVE-1\",\"severity\":\"low\",\"package\":\"a b\",\"title\":null},"
        "{\"id\":\"CVE-2\",\"severity\":\"critical\",\"installed\":\"1:2-3\",\"fixed\":\"\"},"
        "{\"id\":\"CVE-3\",\"severity\":\"low\"}]}";
  g_autoptr (GError) error = NULL;
  g_autoptr (DnScan) scan = judge (text, &error);
  g_autoptr (JsonObject) json = NULL;
  g_autoptr (DnScan) again = NULL;
  g_autofree char *words = NULL;
  const DnScanFinding *finding;

  g_assert_no_error (error);
  json = dn_scan_to_json (scan);
  again = dn_scan_from_json (json, "test", &error);
  g_assert_no_error (error);
  g_assert_cmpint (again->verdict, ==, DN_SCAN_FAIL);
  g_assert_cmpstr (again->summary, ==, "zwei T\xc3\xbcren 100%");
  g_assert_cmpint (again->counts[DN_SCAN_LOW], ==, 2);
  g_assert_cmpuint (again->findings->len, ==, 3);
  finding = again->findings->pdata[0];
  g_assert_cmpstr (finding->id, ==, "CVE-2");
  g_assert_cmpstr (finding->installed, ==, "1:2-3");
  finding = again->findings->pdata[1];
  g_assert_cmpstr (finding->id, ==, "CVE-1");
  g_assert_cmpstr (finding->package, ==, "a b");
  words = dn_scan_words (again);
  g_assert_cmpstr (words, ==, "fail (1 critical, 2 low)");
}

static void
test_what_is_no_verdict_is_never_pass (void)
{
  static const struct
  {
    const char *text;
    const char *words;
  } cases[] = {
    { "", "wrote nothing" },
    { "pass", "scanner's verdict" },
    { "[]", "must be an object" },
    { "{}", "'verdict' is missing" },
    { "{\"verdict\":\"pass\"} x", "scanner's verdict" },
    { "{\"verdict\":\"pass\",\"verdict\":\"fail\"}", "scanner's verdict" },
    { "{\"verdict\":\"PASS\"}", "none of pass, warn and fail" },
    { "{\"verdict\":\"error\"}", "none of pass, warn and fail" },
    { "{\"verdict\":1}", "'verdict' must be a text" },
    { "{\"verdict\":[\"pass\"]}", "'verdict' must be a text" },
    { "{\"verdict\":\"pass\",\"summary\":{}}", "'summary' must be a text" },
    { "{\"verdict\":\"pass\",\"findings\":{}}", "'findings' must be a list" },
    { "{\"verdict\":\"pass\",\"findings\":[1]}", "finding 1: must be an object" },
    { "{\"verdict\":\"pass\",\"findings\":[{\"severity\":\"low\"}]}", "'id' is missing" },
    { "{\"verdict\":\"pass\",\"findings\":[{\"id\":\"x\"}]}", "severity '' is none" },
    { "{\"verdict\":\"pass\",\"findings\":[{\"id\":\"x\",\"severity\":\"worst\"}]}", "'worst'" },
    { "{\"verdict\":\"pass\",\"findings\":[{\"id\":7,\"severity\":\"low\"}]}", "'id' must be" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (judge (cases[i].text, &error));
      g_assert_nonnull (error);
      if (strstr (error->message, cases[i].words) == NULL)
        g_error ("%s: '%s'", cases[i].text, error->message);
    }
}

static void
test_bounds_of_size_and_depth (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *deep = g_strnfill (100000, '[');
  g_autofree char *large = g_strnfill (DN_SCAN_VERDICT_MAX_BYTES + 1, ' ');
  static const char with_nul[] = "{\"verdict\":\"pa\0ss\"}";

  g_assert_null (judge (deep, &error));
  g_clear_error (&error);
  memcpy (large, "{\"verdict\":\"pass\"}", strlen ("{\"verdict\":\"pass\"}"));
  g_assert_null (judge (large, &error));
  g_assert_nonnull (strstr (error->message, "more than 256 KiB"));
  g_clear_error (&error);
  g_assert_null (judge_bytes (with_nul, sizeof with_nul - 1, &error));
}

static void
test_texts_are_cut_and_cleaned (void)
{
  g_autoptr (GString) text = g_string_new ("{\"verdict\":\"warn\",\"summary\":\"");
  g_autoptr (GError) error = NULL;
  g_autoptr (DnScan) scan = NULL;

  g_string_append (text, "a\\u001b[2J\\u0007");
  for (guint i = 0; i < 1000; i++)
    g_string_append (text, "\xe2\x82\xac");
  g_string_append (text, "\",\"findings\":[{\"severity\":\"high\",\"id\":\"");
  for (guint i = 0; i < 1000; i++)
    g_string_append (text, "\xf0\x9f\x9a\xaa");
  g_string_append (text, "\"}]}");
  scan = judge (text->str, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (scan->summary, "a?[2J?"));
  g_assert_cmpuint (strlen (scan->summary), <=, DN_SCAN_SUMMARY_BYTES);
  g_assert_cmpuint (strlen (((DnScanFinding *) scan->findings->pdata[0])->id), <=,
                    DN_SCAN_ID_BYTES);
}

static void
test_of_many_findings_the_most_severe_are_kept (void)
{
  g_autoptr (GString) text = g_string_new ("{\"verdict\":\"fail\",\"findings\":[");
  g_autoptr (GError) error = NULL;
  g_autoptr (DnScan) scan = NULL;
  const DnScanFinding *last;

  for (guint i = 0; i < 3000; i++)
    g_string_append_printf (text, "%s{\"id\":\"X-%u\",\"severity\":\"%s\"}", i > 0 ? "," : "", i,
                            i % 30 == 0 ? "high" : "medium");
  g_string_append (text, "]}");
  scan = judge (text->str, &error);
  g_assert_no_error (error);
  g_assert_cmpint (scan->counts[DN_SCAN_HIGH], ==, 100);
  g_assert_cmpint (scan->counts[DN_SCAN_MEDIUM], ==, 2900);
  g_assert_cmpuint (scan->findings->len, ==, DN_SCAN_FINDINGS_MAX);
  last = scan->findings->pdata[99];
  g_assert_cmpstr (last->id, ==, "X-2970");
  last = scan->findings->pdata[100];
  g_assert_cmpint (last->severity, ==, DN_SCAN_MEDIUM);
}

/* What a reader that was taken over may try. */
static void
test_lines_of_another_form_are_refused (void)
{
  static const char *const cases[] = {
    "verdict error",
    "verdict pass pass",
    "summary x",
    "done",
    "verdict pass\nsummary a%00b",
    "verdict pass\nsummary %1b",
    "verdict pass\nsummary %ff",
    "verdict pass\nsummary \nsummary x",
    "verdict pass\nsummary \ncounts 0 0 0",
    "verdict pass\nsummary \ncounts 0 0 0 -1",
    "verdict pass\nsummary \ncounts 0 0 0 99999999999",
    "verdict pass\nsummary \ncounts 0 0 0 0\nfinding high",
    "verdict pass\nsummary \ncounts 1 0 1 0\nfinding low\nid a\npackage \ninstalled \nfixed \n"
    "title \nfinding high",
    "verdict pass\nsummary \ncounts 1 0 0 0\nfinding worst",
    "verdict pass\nsummary \ncounts 1 0 0 0\nfinding low\npackage a",
    "verdict pass\nsummary \ncounts 1 0 0 0\nverdict pass",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) all = g_strsplit (cases[i], "\n", -1);
      g_autoptr (DnScanLines) lines = dn_scan_lines_new ();
      g_autoptr (GError) error = NULL;

      for (char **line = all; *line != NULL && error == NULL; line++)
        {
          g_auto (GStrv) words = g_strsplit (*line, " ", -1);
          gboolean is_last = line[1] == NULL;

          if (dn_scan_lines_add (lines, words, &error) == is_last)
            g_error ("case %" G_GSIZE_FORMAT ", line '%s'", i, *line);
        }
      g_assert_error (error, DN_ERROR, DN_ERROR_PROTOCOL);
    }
}

static void
test_lines_that_end_early_are_refused (void)
{
  g_autoptr (DnScanLines) lines = dn_scan_lines_new ();
  char *words[] = { (char *) "verdict", (char *) "pass", NULL };
  g_autoptr (GError) error = NULL;

  g_assert_null (dn_scan_lines_finish (lines, &error));
  g_clear_error (&error);
  g_assert_true (dn_scan_lines_add (lines, words, &error));
  g_assert_null (dn_scan_lines_finish (lines, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_PROTOCOL);
}

static void
test_age_and_goodness (void)
{
  g_autoptr (DnScan) scan = dn_scan_new (DN_SCAN_WARN, "");

  g_assert_true (dn_scan_is_good (scan, FALSE));
  g_assert_false (dn_scan_is_good (scan, TRUE));
  scan->time_us = 1000;
  g_assert_false (dn_scan_is_stale (scan, 0, 1000000));
  g_assert_false (dn_scan_is_stale (scan, 500, 1500));
  g_assert_true (dn_scan_is_stale (scan, 500, 1501));
  g_assert_true (dn_scan_is_stale (scan, 500, 999)); /* the clock was set back */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scan/a verdict comes through and is kept",
                   test_a_verdict_comes_through_and_is_kept);
  g_test_add_func ("/scan/what is no verdict is never pass", test_what_is_no_verdict_is_never_pass);
  g_test_add_func ("/scan/bounds of size and depth", test_bounds_of_size_and_depth);
  g_test_add_func ("/scan/texts are cut and cleaned", test_texts_are_cut_and_cleaned);
  g_test_add_func ("/scan/of many findings the most severe are kept",
                   test_of_many_findings_the_most_severe_are_kept);
  g_test_add_func ("/scan/lines of another form are refused",
                   test_lines_of_another_form_are_refused);
  g_test_add_func ("/scan/lines that end early are refused", test_lines_that_end_early_are_refused);
  g_test_add_func ("/scan/age and goodness", test_age_and_goodness);
  return g_test_run ();
}
