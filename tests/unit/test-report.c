/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/report/*.c launcher/cli/escape.c launcher/cli/table.c launcher/cli/units.c
   launcher/common/json.c launcher/common/error.c */
/* The audit's document as text and as page; `test-report text|html FILE [WIDTH [color]]` prints
 * one, which test-report-page.py takes to a browser. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../launcher/cli/escape.h"
#include "../../launcher/common/json.h"
#include "../../launcher/report/report.h"
#include "golden.h"

#define FIXTURES "tests/golden/report/"
#define DOCUMENT_BYTES (8 << 20)

static JsonObject *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node
      = dn_json_parse (text, strlen (text), DOCUMENT_BYTES, "document", &error);

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    g_error ("no document: %s", error != NULL ? error->message : "not an object");
  return json_object_ref (json_node_get_object (node));
}

static JsonObject *
load (const char *path)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_file_get_contents (path, &text, NULL, &error))
    g_error ("%s", error->message);
  return parse (text);
}

static void
test_text_and_page_are_as_they_were_read (void)
{
  g_autoptr (JsonObject) three = load (FIXTURES "three.json");
  g_autoptr (JsonObject) hostile = load (FIXTURES "hostile.json");
  g_autofree char *text = dn_report_text (three, FALSE, 80);
  g_autofree char *colored = dn_report_text (three, TRUE, 140);
  g_autofree char *html = dn_report_html (three);
  g_autofree char *hostile_text = dn_report_text (hostile, FALSE, 80);
  g_autofree char *hostile_html = dn_report_html (hostile);

  golden_compare (FIXTURES "three.txt", text);
  golden_compare (FIXTURES "three.color.txt", colored);
  golden_compare (FIXTURES "three.html", html);
  golden_compare (FIXTURES "hostile.txt", hostile_text);
  golden_compare (FIXTURES "hostile.html", hostile_html);
}

/* Besides the line's end, nothing of ours is a control character but the escapes of colours. */
static void
assert_harmless (const char *text, gboolean use_color)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      GUnicodeType type = g_unichar_type (c);

      if (c == '\n' || (use_color && c == 033 && at[1] == '[' && g_ascii_isdigit (at[2])))
        continue;
      if (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR
          || type == G_UNICODE_PARAGRAPH_SEPARATOR)
        g_error ("U+%04X before: %.60s", c, at);
    }
}

static void
test_what_a_terminal_obeys_is_shown_and_not_sent (void)
{
  g_autoptr (JsonObject) hostile = load (FIXTURES "hostile.json");
  g_autofree char *text = dn_report_text (hostile, FALSE, 200);
  g_autofree char *html = dn_report_html (hostile);

  assert_harmless (text, FALSE);
  assert_harmless (html, FALSE);
  g_assert_nonnull (strstr (text, "/run/\\x1b]0;owned\\x07.sock"));
  g_assert_nonnull (strstr (html, "\\u{202e}prod"));
}

/* Every "<" of a hostile page begins a tag that is well formed, with attributes that do nothing. */
static void
test_foreign_text_makes_no_tags (void)
{
  g_autoptr (JsonObject) hostile = load (FIXTURES "hostile.json");
  g_autofree char *html = dn_report_html (hostile);
  g_autoptr (GRegex) tag = g_regex_new (
      "(?:!DOCTYPE html|/?(?:html|head|meta|title|style|body|header|p|h[123]|div|span|svg|use|br|a"
      "|b|nav|main|section|figure|figcaption|defs|symbol|circle|path|rect|g|text|desc|ul|li|table"
      "|caption|thead|tbody|tr|th|td|code|dl|dt|dd|article|footer)"
      "(?: (?:lang|charset|http-equiv|name|content|id|class|style|href|title|role|scope|viewBox"
      "|width|height|x|y|cx|cy|r|rx|d|transform|data-is|aria-[a-z]+)=\"[^\"<>]*\")*)/?>",
      G_REGEX_ANCHORED, G_REGEX_MATCH_ANCHORED, NULL);
  guint count = 0;

  g_assert_nonnull (tag);
  for (const char *at = strchr (html, '<'); at != NULL; at = strchr (at + 1, '<'), count++)
    if (!g_regex_match (tag, at + 1, G_REGEX_MATCH_ANCHORED, NULL))
      g_error ("no tag of ours: %.60s", at);
  g_assert_cmpuint (count, >, 200);
}

/* All that a page can be told to fetch would stand in one of these. */
static void
test_the_page_asks_for_nothing (void)
{
  static const char *const files[] = { FIXTURES "three.json", FIXTURES "hostile.json" };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr (JsonObject) document = load (files[i]);
      g_autofree char *html = dn_report_html (document);
      g_autofree char *style = g_strndup (
          strstr (html, "<style>"), (gsize) (strstr (html, "</style>") - strstr (html, "<style>")));
      guint links = 0;

      g_assert_nonnull (strstr (html, "content=\"default-src 'none'; style-src 'unsafe-inline'; "
                                      "base-uri 'none'; form-action 'none'\""));
      g_assert_null (strstr (style, "url("));
      g_assert_null (strstr (style, "@import"));
      for (const char *at = strstr (html, "href="); at != NULL;
           at = strstr (at + 1, "href="), links++)
        if (at[5] != '"' || at[6] != '#')
          g_error ("a link that leads out: %.40s", at);
      g_assert_cmpuint (links, >, 20);
    }
}

static void
test_no_line_is_wider_than_the_terminal (void)
{
  static const char *const files[] = { FIXTURES "three.json", FIXTURES "hostile.json" };
  static const guint widths[] = { 0, 40, 41, 57, 80, 140, 400, 5000 };

  for (guint i = 0; i < G_N_ELEMENTS (files) * G_N_ELEMENTS (widths); i++)
    {
      g_autoptr (JsonObject) document = load (files[i % G_N_ELEMENTS (files)]);
      guint width = widths[i / G_N_ELEMENTS (files)];
      guint bound = CLAMP (width, DN_REPORT_WIDTH_MIN, DN_REPORT_WIDTH_MAX);
      g_autofree char *text = dn_report_text (document, FALSE, width);
      g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

      for (guint line = 0; lines[line] != NULL; line++)
        {
          g_assert_false (g_str_has_suffix (lines[line], " "));
          if (dn_escape_width (lines[line]) > bound)
            g_error ("wider than %u: %s", bound, lines[line]);
        }
    }
}

/* Colours are the only difference, and each is ended on its line. */
static void
test_colours_change_no_word (void)
{
  g_autoptr (JsonObject) document = load (FIXTURES "three.json");
  g_autofree char *plain = dn_report_text (document, FALSE, 80);
  g_autofree char *colored = dn_report_text (document, TRUE, 80);
  g_autoptr (GRegex) escapes = g_regex_new ("\033\\[[0-9;]*m", 0, 0, NULL);
  g_autofree char *stripped = g_regex_replace_literal (escapes, colored, -1, 0, "", 0, NULL);
  g_auto (GStrv) lines = g_strsplit (colored, "\n", -1);
  guint styled = 0;

  g_assert_cmpstr (stripped, ==, plain);
  assert_harmless (colored, TRUE);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *last = strrchr (lines[i], '\033');

      if (last != NULL && !g_str_has_prefix (last, "\033[0m"))
        g_error ("a colour goes on: %s", lines[i]);
      styled += last != NULL;
    }
  g_assert_cmpuint (styled, >, 30);
}

static void
assert_rendered (JsonObject *document)
{
  g_autofree char *text = dn_report_text (document, TRUE, 80);
  g_autofree char *html = dn_report_html (document);

  g_assert_nonnull (strstr (text, "UNKNOWN"));
  g_assert_nonnull (strstr (text, "CHAIN OF PROGRAMS"));
  g_assert_true (g_str_has_suffix (html, "</body></html>\n"));
}

static void
test_what_is_missing_is_unknown (void)
{
  g_autoptr (JsonObject) empty = json_object_new ();

  assert_rendered (NULL);
  assert_rendered (empty);
}

/* Every member of the document in turn is something else. */
static void
spoil (JsonObject *root, JsonNode *node)
{
  static const char *const others = "[null, [null, {}], {}, 1.5, -1, \"\\u001b[31m<\"]";
  g_autofree char *text = g_strdup_printf ("{\"others\":%s}", others);
  g_autoptr (JsonObject) holder = parse (text);
  JsonArray *array = json_object_get_array_member (holder, "others");
  GList *names;
  JsonObject *object;

  if (JSON_NODE_HOLDS_ARRAY (node))
    for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
      spoil (root, json_array_get_element (json_node_get_array (node), i));
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return;
  object = json_node_get_object (node);
  names = json_object_get_members (object);
  for (GList *at = names; at != NULL; at = at->next)
    at->data = g_strdup (at->data); /* setting a member frees its old name */
  for (GList *at = names; at != NULL; at = at->next)
    {
      const char *name = at->data;
      g_autoptr (JsonNode) kept = json_node_copy (json_object_get_member (object, name));

      spoil (root, json_object_get_member (object, name));
      for (guint i = 0; i < json_array_get_length (array); i++)
        {
          g_autofree char *out = NULL, *html = NULL;

          json_object_set_member (object, name, json_node_copy (json_array_get_element (array, i)));
          out = dn_report_text (root, FALSE, 80);
          html = dn_report_html (root);
          assert_harmless (out, FALSE);
          g_assert_true (g_str_has_suffix (html, "</body></html>\n"));
        }
      json_object_set_member (object, name, json_node_copy (kept));
    }
  g_list_free_full (names, g_free);
}

static void
test_no_wrong_type_is_taken_for_the_right_one (void)
{
  g_autoptr (JsonObject) document = load (FIXTURES "three.json");
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *before = dn_report_text (document, FALSE, 80);
  g_autofree char *after = NULL;

  json_node_set_object (root, document);
  spoil (document, root);
  after = dn_report_text (document, FALSE, 80);
  g_assert_cmpstr (after, ==, before);
}

/* A kind of finding that we do not know may be worse than all that we do. */
static void
test_an_unknown_severity_comes_first (void)
{
  g_autoptr (JsonObject) document
      = parse ("{\"findings\":[{\"severity\":\"critical\",\"subject\":\"second\"},"
               "{\"severity\":\"apocalyptic\",\"subject\":\"first\"}]}");
  g_autofree char *text = dn_report_text (document, FALSE, 80);

  g_assert_true (strstr (text, "UNKNOWN  first") < strstr (text, "CRITICAL  second"));
  g_assert_nonnull (strstr (text, "2 findings: 1 unknown, 1 critical"));
}

/* Nobody becomes ours, or local, by leaving out that he is not. */
static void
test_silence_is_no_assurance (void)
{
  g_autoptr (JsonObject) document
      = parse ("{\"machines\":[{\"name\":\"m\"}],\"listeners\":[{\"protocol\":\"tcp\",\"port\":1}],"
               "\"contexts\":[{\"name\":\"c\",\"containers\":[{\"name\":\"r\"}]}]}");
  g_autofree char *text = dn_report_text (document, FALSE, 80);
  g_autofree char *html = dn_report_html (document);

  g_assert_nonnull (
      strstr (text, "1 foreign machine, 0 container runtimes, 1 reachable listener\n"));
  g_assert_nonnull (strstr (text, "UNKNOWN  c\n"));
  g_assert_nonnull (strstr (text, "listens          unknown\n"));
  g_assert_nonnull (strstr (html, "Yard: 1 outside of the building"));
  g_assert_nonnull (strstr (html, "class=\"win what\""));
}

int
main (int argc, char **argv)
{
  if (argc >= 3 && (g_str_equal (argv[1], "text") || g_str_equal (argv[1], "html")))
    {
      g_autoptr (JsonObject) document = load (argv[2]);
      g_autofree char *out
          = g_str_equal (argv[1], "html")
                ? dn_report_html (document)
                : dn_report_text (document, argc > 4, argc > 3 ? (guint) atoi (argv[3]) : 80);

      return fputs (out, stdout) == EOF;
    }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report/text-and-page-are-as-they-were-read",
                   test_text_and_page_are_as_they_were_read);
  g_test_add_func ("/report/what-a-terminal-obeys-is-shown-and-not-sent",
                   test_what_a_terminal_obeys_is_shown_and_not_sent);
  g_test_add_func ("/report/foreign-text-makes-no-tags", test_foreign_text_makes_no_tags);
  g_test_add_func ("/report/the-page-asks-for-nothing", test_the_page_asks_for_nothing);
  g_test_add_func ("/report/no-line-is-wider-than-the-terminal",
                   test_no_line_is_wider_than_the_terminal);
  g_test_add_func ("/report/colours-change-no-word", test_colours_change_no_word);
  g_test_add_func ("/report/what-is-missing-is-unknown", test_what_is_missing_is_unknown);
  g_test_add_func ("/report/no-wrong-type-is-taken-for-the-right-one",
                   test_no_wrong_type_is_taken_for_the_right_one);
  g_test_add_func ("/report/an-unknown-severity-comes-first", test_an_unknown_severity_comes_first);
  g_test_add_func ("/report/silence-is-no-assurance", test_silence_is_no_assurance);
  return g_test_run ();
}
