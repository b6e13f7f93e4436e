/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/cli/escape.c launcher/cli/table.c launcher/cli/console-tail.c
   launcher/cli/detach-keys.c launcher/cli/copy-spec.c launcher/base/console-ring.c protocol/pack.c
   launcher/common/error.c */
/* Text on its way in and out: escaping, tables, the console's tail, detach keys, words of cp. */
#include <glib.h>
#include <string.h>

#include "../../launcher/cli/console-tail.h"
#include "../../launcher/cli/copy-spec.h"
#include "../../launcher/cli/detach-keys.h"
#include "../../launcher/cli/escape.h"
#include "../../launcher/cli/table.h"
#include "../../launcher/common/error.h"

static void
test_nothing_that_a_terminal_obeys_gets_through (void)
{
  static const struct
  {
    const char *text;
    const char *shown;
  } texts[] = {
    { "plain ä 日本 😀", "plain ä 日本 😀" },
    { "a\nb\tc\rd", "a\\nb\\tc\\rd" },
    { "\033[2J\007\177", "\\x1b[2J\\x07\\x7f" },
    { "\xc2\x9b", "\\u{009b}" },           /* CSI in one character */
    { "\xe2\x80\xae", "\\u{202e}" },       /* right to left override */
    { "\xe2\x80\x8b", "\\u{200b}" },       /* zero width space */
    { "\xe2\x80\xa8", "\\u{2028}" },       /* line separator */
    { "\xff\xc3", "\\xff\\xc3" },          /* no UTF-8 */
    { "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
    { "\xc0\xaf", "\\xc0\\xaf" },          /* overlong */
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *shown = dn_escape_text (texts[i].text, -1);

      g_assert_cmpstr (shown, ==, texts[i].shown);
    }
}

static void
test_a_nul_is_shown_as_any_other (void)
{
  g_autofree char *shown = dn_escape_text ("a\0b", 3);

  g_assert_cmpstr (shown, ==, "a\\x00b");
}

static void
test_json_stays_the_same_document (void)
{
  g_autofree char *shown = dn_escape_json ("{\n \"a\": \"\xe2\x80\xae\xf3\xa0\x80\x81\177\"}");

  g_assert_cmpstr (shown, ==, "{\n \"a\": \"\\u202e\\udb40\\udc01\\u007f\"}");
}

static void
test_words_are_quoted_where_a_shell_needs_it (void)
{
  g_autofree char *plain = dn_escape_word ("a/b-c.d"), *blank = dn_escape_word ("a b");
  g_autofree char *empty = dn_escape_word ("");

  g_assert_cmpstr (plain, ==, "a/b-c.d");
  g_assert_cmpstr (blank, ==, "'a b'");
  g_assert_cmpstr (empty, ==, "''");
}

static void
test_columns_line_up_also_with_wide_characters (void)
{
  g_autoptr (DnTable) table = dn_table_new ("A", "B", "C", NULL);
  g_autofree char *text = NULL;

  dn_table_add (table, "日本", "x", "1", NULL);
  dn_table_add (table, "e\xcc\x81", "\n", "2", NULL); /* an accent of its own takes no column */
  dn_table_add (table, "", "long cell", NULL);
  text = dn_table_to_text (table);
  g_assert_cmpstr (text, ==,
                   "A     B          C\n"
                   "日本  x          1\n"
                   "e\xcc\x81     \\n         2\n"
                   "      long cell\n");
}

static void
test_texts_are_shortened_by_columns (void)
{
  g_autofree char *whole = dn_table_shorten ("12345", 5), *cut = dn_table_shorten ("123456", 5);
  g_autofree char *wide = dn_table_shorten ("日本語", 4);

  g_assert_cmpstr (whole, ==, "12345");
  g_assert_cmpstr (cut, ==, "1234…");
  g_assert_cmpstr (wide, ==, "日…");
}

static void
test_the_consoles_tail_is_its_last_lines_escaped (void)
{
  const char *console = "one\r\ntwo\r\n\033[31mthree\r\nfour without end";
  g_autofree char *tail = dn_console_tail_format (console, strlen (console), 3);
  g_autofree char *all = dn_console_tail_format (console, strlen (console), 100);
  g_autofree char *none = dn_console_tail_format ("\n\n", 2, 3);

  g_assert_cmpstr (tail, ==, "  two\n  \\x1b[31mthree\n  four without end\n");
  g_assert_true (g_str_has_prefix (all, "  one\n"));
  g_assert_cmpstr (none, ==, "");
}

static char *
filter (DnDetachKeys *keys, const char *typed, gboolean *ret_complete)
{
  guint8 out[256];
  gsize size;

  *ret_complete = dn_detach_keys_filter (keys, (const guint8 *) typed, strlen (typed), out, &size);
  return g_strndup ((const char *) out, size);
}

static void
test_keys_are_held_back_and_forwarded_in_order (void)
{
  static const struct
  {
    const char *keys;
    const char *typed[4];
    const char *forwarded;
    gboolean is_complete;
  } cases[] = {
    { "ctrl-p,ctrl-q", { "\020", "\021" }, "", TRUE },
    { "ctrl-p,ctrl-q", { "\020", "x" }, "\020x", FALSE },
    { "ctrl-p,ctrl-q", { "\020\020\021" }, "\020", TRUE },
    { "ctrl-p,ctrl-q", { "\021\020" }, "\021", FALSE },
    { "ctrl-p,ctrl-q", { "ab\020\021rest" }, "ab", TRUE },
    { "a,a,b", { "a", "a", "a", "b" }, "a", TRUE },
    { "a,b,a,c", { "aba", "bac" }, "ab", TRUE },
    { "ctrl-@", { "x" }, "x", FALSE },
    { "", { "\020\021" }, "\020\021", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) all = g_string_new (NULL);
      gboolean is_complete = FALSE;
      DnDetachKeys keys;

      g_assert_true (dn_detach_keys_parse (cases[i].keys, &keys, NULL));
      for (guint n = 0; n < 4 && cases[i].typed[n] != NULL; n++)
        {
          g_autofree char *forwarded = filter (&keys, cases[i].typed[n], &is_complete);

          g_string_append (all, forwarded);
        }
      g_assert_cmpstr (all->str, ==, cases[i].forwarded);
      g_assert_cmpint (is_complete, ==, cases[i].is_complete);
    }
}

static void
test_what_is_no_key_is_refused (void)
{
  static const char *const texts[]
      = { "ctrl-", "ctrl-1", "ctrl-pp", "ab", "ctrl-p,", "ä", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q" };
  DnDetachKeys keys;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (dn_detach_keys_parse (texts[i], &keys, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
    }
}

static void
test_words_of_cp_are_understood_as_docker_does (void)
{
  static const struct
  {
    const char *word;
    const char *container;
    const char *path;
    gboolean is_contents;
    gboolean must_be_directory;
  } specs[] = {
    { "web:/etc", "web", "/etc", FALSE, FALSE },
    { "web:etc/x", "web", "/etc/x", FALSE, FALSE },
    { "web:/etc/", "web", "/etc", FALSE, TRUE },
    { "web:/etc/.", "web", "/etc", TRUE, FALSE },
    { "web:/", "web", "/", FALSE, FALSE },
    { "web:.", "web", "/", TRUE, FALSE },
    { "./a:b", NULL, "./a:b", FALSE, FALSE },
    { "/a:b", NULL, "/a:b", FALSE, FALSE },
    { "dir/a:b", NULL, "dir/a:b", FALSE, FALSE },
    { "dir/.", NULL, "dir", TRUE, FALSE },
    { ".", NULL, ".", TRUE, FALSE },
    { "dir//", NULL, "dir", FALSE, TRUE },
    { "/", NULL, "/", FALSE, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      DnCopySpec spec;

      g_assert_true (dn_copy_spec_parse (specs[i].word, &spec, NULL));
      g_assert_cmpstr (spec.container, ==, specs[i].container);
      g_assert_cmpstr (spec.path, ==, specs[i].path);
      g_assert_cmpint (spec.is_contents, ==, specs[i].is_contents);
      g_assert_cmpint (spec.must_be_directory, ==, specs[i].must_be_directory);
      dn_copy_spec_clear (&spec);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/cli/text/" #name, test_##name)
  TEST (nothing_that_a_terminal_obeys_gets_through);
  TEST (a_nul_is_shown_as_any_other);
  TEST (json_stays_the_same_document);
  TEST (words_are_quoted_where_a_shell_needs_it);
  TEST (columns_line_up_also_with_wide_characters);
  TEST (texts_are_shortened_by_columns);
  TEST (the_consoles_tail_is_its_last_lines_escaped);
  TEST (keys_are_held_back_and_forwarded_in_order);
  TEST (what_is_no_key_is_refused);
  TEST (words_of_cp_are_understood_as_docker_does);
#undef TEST
  return g_test_run ();
}
