/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/cli/*.c !launcher/cli/main.c launcher/survey/*.c launcher/record/*.c
   launcher/report/*.c launcher/common/*.c launcher/base/*.c protocol/*.c
 */
/* Flags as fingers have them from docker, and variables from words and files. */
#include <glib.h>
#include <string.h>

#include "../../launcher/cli/env-file.h"
#include "../../launcher/cli/options.h"
#include "../../launcher/common/error.h"

static gboolean flag;
static char *text;

static const GOptionEntry entries[] = {
  { "interactive", 'i', 0, G_OPTION_ARG_NONE, &flag, "", NULL },
  { "tty", 't', 0, G_OPTION_ARG_NONE, &flag, "", NULL },
  { "proxy", 0, 0, G_OPTION_ARG_NONE, &flag, "", NULL },
  { "no-proxy", 0, 0, G_OPTION_ARG_NONE, &flag, "", NULL },
  { "memory", 'm', 0, G_OPTION_ARG_FILENAME, &text, "", "SIZE" },
  DN_OPTION_UNBUILT ("volume", 'v'),
  DN_OPTION_END,
};

/* Words and the result with blanks between; "!" for an error. */
static char *
normalise (DnOptionsStyle style, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_auto (GStrv) result = dn_options_normalise (entries, style, words, NULL);

  return result != NULL ? g_strjoinv (" ", result) : g_strdup ("!");
}

static void
test_all_ways_to_write_a_flag_are_one (void)
{
  static const struct
  {
    const char *line;
    const char *normal;
  } lines[] = {
    { "-it IMAGE -x", "--interactive --tty -- IMAGE -x" },
    { "-itm512m IMAGE", "--interactive --tty --memory=512m -- IMAGE" },
    { "-m 512m I", "--memory=512m -- I" },
    { "-m=512m I", "--memory=512m -- I" },
    { "--memory 512m I", "--memory=512m -- I" },
    { "--memory=512m I", "--memory=512m -- I" },
    { "--memory -1 I", "--memory=-1 -- I" },
    { "--tty=false -i=true I", "--interactive -- I" },
    { "--proxy=false I", "--no-proxy -- I" },
    { "-i -- -t x", "--interactive -- -t x" },
    { "-v a:b I", "-v -- a:b I" },
    { "- -i", "-- - -i" },
    { "--nope", "!" },
    { "-ix", "!" },
    { "--tty=maybe", "!" },
    { "-m", "!" },
    { "--memory", "!" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autofree char *normal = normalise (DN_OPTIONS_UP_TO_THE_WORDS, lines[i].line);

      g_assert_cmpstr (normal, ==, lines[i].normal);
    }
}

static void
test_flags_may_stand_among_names_where_no_command_follows (void)
{
  g_autofree char *normal = normalise (DN_OPTIONS_ANYWHERE, "web -i db -m 1 -- -t");

  g_assert_cmpstr (normal, ==, "--interactive --memory=1 -- web db -t");
}

static void
test_a_flag_of_a_later_version_says_so (void)
{
  const char *const lines[] = { "-v a:b I", "-v", "--volume=a:b", "--volume" };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);
      g_auto (GStrv) rest = NULL;
      g_autoptr (GError) error = NULL;

      g_assert_false (dn_options_parse_plain (entries, DN_OPTIONS_ANYWHERE, words, &rest, &error));
      g_assert_nonnull (strstr (error->message, "not built yet in this version"));
    }
}

static void
test_values_are_taken_as_bytes (void)
{
  char *words[] = { (char *) "--memory", (char *) "\xff\xc3\xa4", NULL };
  g_auto (GStrv) rest = NULL;

  g_assert_true (dn_options_parse_plain (entries, DN_OPTIONS_ANYWHERE, words, &rest, NULL));
  g_assert_cmpstr (text, ==, "\xff\xc3\xa4");
  g_clear_pointer (&text, g_free);
}

static void
test_variables_come_from_words_files_and_the_caller (void)
{
  g_autoptr (GPtrArray) env = g_ptr_array_new_with_free_func (g_free);
  char *callers[] = { (char *) "HOME=/root", (char *) "BAD=\xff", NULL };

  g_assert_true (dn_env_add (env, "A=b=c", callers, NULL));
  g_assert_true (dn_env_add (env, "EMPTY=", callers, NULL));
  g_assert_true (dn_env_add (env, "HOME", callers, NULL));
  g_assert_true (dn_env_add (env, "UNSET", callers, NULL));
  g_assert_true (
      dn_env_add_text (env, "# no\n\n X=1\r\nY= two words \nHOME\n", callers, "f", NULL));
  g_ptr_array_add (env, NULL);
  {
    g_autofree char *all = g_strjoinv ("|", (char **) env->pdata);

    g_assert_cmpstr (all, ==, "A=b=c|EMPTY=|HOME=/root|X=1|Y= two words |HOME=/root");
  }
}

static void
test_odd_variables_are_refused_by_line (void)
{
  g_autoptr (GPtrArray) env = g_ptr_array_new_with_free_func (g_free);
  char *callers[] = { (char *) "BAD=\xff", NULL };
  g_autoptr (GError) error = NULL;

  g_assert_false (dn_env_add (env, "=x", callers, NULL));
  g_assert_false (dn_env_add (env, "", callers, NULL));
  g_assert_false (dn_env_add (env, "A B=x", callers, NULL));
  g_assert_false (dn_env_add (env, "A=\xff", callers, NULL));
  g_assert_false (dn_env_add (env, "BAD", callers, NULL));
  g_assert_false (dn_env_add_text (env, "A=1\nB C=2\n", callers, "file", &error));
  g_assert_true (g_str_has_prefix (error->message, "file: line 2: "));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/cli/options/" #name, test_##name)
  TEST (all_ways_to_write_a_flag_are_one);
  TEST (flags_may_stand_among_names_where_no_command_follows);
  TEST (a_flag_of_a_later_version_says_so);
  TEST (values_are_taken_as_bytes);
  TEST (variables_come_from_words_files_and_the_caller);
  TEST (odd_variables_are_refused_by_line);
#undef TEST
  return g_test_run ();
}
