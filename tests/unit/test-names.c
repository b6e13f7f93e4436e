/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/names.c launcher/common/error.c protocol/protocol.c protocol/pack.c */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/names.h"

static void
test_names_are_words_that_need_no_quoting_anywhere (void)
{
  g_autofree char *longest = g_strnfill (DN_NAME_MAX_BYTES, 'a');
  g_autofree char *longer = g_strnfill (DN_NAME_MAX_BYTES + 1, 'a');

  g_assert_true (dn_name_is_valid ("a"));
  g_assert_true (dn_name_is_valid ("0web_1.prod-x"));
  g_assert_true (dn_name_is_valid (longest));
  g_assert_false (dn_name_is_valid (longer));
  g_assert_false (dn_name_is_valid (""));
  g_assert_false (dn_name_is_valid (".hidden"));
  g_assert_false (dn_name_is_valid ("-flag"));
  g_assert_false (dn_name_is_valid ("a/b"));
  g_assert_false (dn_name_is_valid ("a b"));
  g_assert_false (dn_name_is_valid ("a\nb"));
  g_assert_false (dn_name_is_valid ("caf\xc3\xa9"));
}

static void
test_a_refusal_shows_the_name_without_its_control_characters (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (dn_name_check ("a\x1b[2J", "container", &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
  g_assert_true (g_str_has_prefix (error->message, "container 'a?[2J': not a name\n"));
}

static void
test_random_names_are_valid (void)
{
  for (int i = 0; i < 200; i++)
    {
      g_autofree char *name = dn_name_random ();

      g_assert_true (dn_name_is_valid (name));
      g_assert_nonnull (strchr (name, '_'));
    }
}

static void
test_ids_are_hexadecimal_and_differ (void)
{
  char first[DN_ID_BYTES + 1], second[DN_ID_BYTES + 1];

  dn_id_new (first);
  dn_id_new (second);
  g_assert_true (dn_id_is_hex (first, DN_ID_BYTES));
  g_assert_cmpstr (first, !=, second);
  g_assert_false (dn_id_is_hex ("ABC", 3));
  g_assert_true (dn_id_is_prefix ("abc"));
  g_assert_false (dn_id_is_prefix ("ab"));
  g_assert_false (dn_id_is_prefix ("abx"));
}

static void
test_foreign_text_loses_control_characters_and_broken_utf8 (void)
{
  g_autofree char *clean = dn_text_clean ("a\x1b\x07\xff\xc2\x9b"
                                          "b",
                                          100);
  g_autofree char *cut = dn_text_clean ("abcdef", 3);

  g_assert_true (g_utf8_validate (clean, -1, NULL));
  g_assert_cmpstr (clean, ==, "a??\xef\xbf\xbd?b");
  g_assert_cmpstr (cut, ==, "abc");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/names/names-are-words-that-need-no-quoting-anywhere",
                   test_names_are_words_that_need_no_quoting_anywhere);
  g_test_add_func ("/names/a-refusal-shows-the-name-without-its-control-characters",
                   test_a_refusal_shows_the_name_without_its_control_characters);
  g_test_add_func ("/names/random-names-are-valid", test_random_names_are_valid);
  g_test_add_func ("/names/ids-are-hexadecimal-and-differ", test_ids_are_hexadecimal_and_differ);
  g_test_add_func ("/names/foreign-text-loses-control-characters-and-broken-utf8",
                   test_foreign_text_loses_control_characters_and_broken_utf8);
  return g_test_run ();
}
