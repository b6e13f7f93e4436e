/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/key-file.c launcher/common/names.c launcher/common/error.c */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/key-file.h"

typedef struct
{
  guint64 size;
  gboolean is_on;
  char *word;
  char *path;
  int choice;
} Values;

static gboolean
parse (const char *text, Values *values, GError **error)
{
  static const char *const choices[] = { "auto", "vsock", NULL };
  const DnKey keys[] = {
    { "guest", "size_mib", DN_KEY_INTEGER, &values->size, 16, 1024, 1048576, NULL },
    { "guest", "on", DN_KEY_BOOLEAN, &values->is_on, 0, 0, 0, NULL },
    { "guest", "transport", DN_KEY_CHOICE, &values->choice, 0, 0, 0, choices },
    { "context", "tenant", DN_KEY_WORD, &values->word, 0, 0, 0, NULL },
    { "context", "file", DN_KEY_PATH, &values->path, 0, 0, 0, NULL },
    { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL },
  };

  return dn_key_file_parse (text, strlen (text), "x.conf", keys, error);
}

static void
assert_refused (const char *text, const char *message)
{
  Values values = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_false (parse (text, &values, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==, message);
  g_free (values.word);
}

static void
test_values_of_all_types_are_read (void)
{
  Values values = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_true (parse ("# a comment\n\n[context]\ntenant = acme\nfile = /etc/a key;b\n"
                        "[guest]\nsize_mib = 512\non=yes\ntransport = vsock \n",
                        &values, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (values.size, ==, 512u * 1048576);
  g_assert_true (values.is_on);
  g_assert_cmpstr (values.word, ==, "acme");
  g_assert_cmpint (values.choice, ==, 1);
  g_assert_cmpstr (values.path, ==, "/etc/a key;b");
  g_free (values.path);
  g_free (values.word);
}

static void
test_an_empty_file_and_one_of_comments_change_nothing (void)
{
  Values values = { .size = 7 };

  g_assert_true (parse ("", &values, NULL));
  g_assert_true (parse ("# nothing\n", &values, NULL));
  g_assert_cmpuint (values.size, ==, 7);
}

static void
test_what_is_unknown_is_named (void)
{
  assert_refused ("[network]\nmode = none\n", "file 'x.conf': [network]: unknown group");
  assert_refused ("[guest]\nsize = 3\n", "file 'x.conf': [guest] size: unknown key");
  assert_refused ("[guest]\ntenant = a\n", "file 'x.conf': [guest] tenant: unknown key");
}

static void
test_a_key_that_stands_twice_is_refused (void)
{
  assert_refused ("[guest]\non = yes\non = no\n", "file 'x.conf': [guest] on: stands there twice");
  assert_refused ("[guest]\non = yes\n[context]\n[guest]\non=no\n",
                  "file 'x.conf': [guest] on: stands there twice");
}

static void
test_wrong_types_are_refused (void)
{
  assert_refused ("[guest]\nsize_mib = 12abc\n", "file 'x.conf': [guest] size_mib = 12abc: must be "
                                                 "a whole number from 16 to 1024");
  assert_refused ("[guest]\nsize_mib = 2048\n", "file 'x.conf': [guest] size_mib = 2048: must be a "
                                                "whole number from 16 to 1024");
  assert_refused ("[guest]\nsize_mib = -1\n", "file 'x.conf': [guest] size_mib = -1: must be a "
                                              "whole number from 16 to 1024");
  assert_refused ("[guest]\non = maybe\n", "file 'x.conf': [guest] on = maybe: must be yes or no");
  assert_refused ("[guest]\ntransport = tcp\n",
                  "file 'x.conf': [guest] transport = tcp: must be one of auto, vsock");
  assert_refused ("[context]\ntenant = a b\n",
                  "file 'x.conf': [context] tenant: must be a word of at most 63 letters, digits, "
                  "'_', '.' and '-'");
}

static void
test_what_is_no_key_file_is_refused (void)
{
  Values values = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_false (parse ("tenant = a\n", &values, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_clear_error (&error);
  g_assert_false (parse ("[guest]\non = \xff\n", &values, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
}

static void
test_lists_and_free_keys_are_read (void)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GPtrArray) table = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  const DnKey keys[] = {
    { "list", "words", DN_KEY_WORDS, &words, 0, 0, 0, NULL },
    { "table", "*", DN_KEY_TABLE, table, 0, 0, 0, NULL },
    { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL },
  };
  static const char *const refused[][2] = {
    { "[list]\nwords = a;;b\n", "must be words" },
    { "[list]\nwords = a;b c\n", "must be words" },
    { "[list]\nwords = a;b;a\n", "'a' stands there twice" },
    { "[table]\n/b = 1\n/b = 2\n", "[table] /b: stands there twice" },
  };
  const char *text = "[list]\nwords = a ; b;\n[table]\n/b = 1 2\n/a = \n";

  g_assert_true (dn_key_file_parse (text, strlen (text), "x.conf", keys, &error));
  g_assert_cmpuint (g_strv_length (words), ==, 2);
  g_assert_cmpstr (words[1], ==, "b");
  g_assert_cmpuint (table->len, ==, 4);
  g_assert_cmpstr (table->pdata[0], ==, "/b");
  g_assert_cmpstr (table->pdata[1], ==, "1 2");
  g_assert_cmpstr (table->pdata[3], ==, "");
  text = "[list]\nwords =\n";
  g_assert_true (dn_key_file_parse (text, strlen (text), "x.conf", keys, &error));
  g_assert_cmpuint (g_strv_length (words), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) refusal = NULL;

      g_assert_false (
          dn_key_file_parse (refused[i][0], strlen (refused[i][0]), "x.conf", keys, &refusal));
      g_assert_nonnull (strstr (refusal->message, refused[i][1]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/key-file/values-of-all-types-are-read", test_values_of_all_types_are_read);
  g_test_add_func ("/key-file/an-empty-file-and-one-of-comments-change-nothing",
                   test_an_empty_file_and_one_of_comments_change_nothing);
  g_test_add_func ("/key-file/what-is-unknown-is-named", test_what_is_unknown_is_named);
  g_test_add_func ("/key-file/a-key-that-stands-twice-is-refused",
                   test_a_key_that_stands_twice_is_refused);
  g_test_add_func ("/key-file/wrong-types-are-refused", test_wrong_types_are_refused);
  g_test_add_func ("/key-file/lists-and-free-keys-are-read", test_lists_and_free_keys_are_read);
  g_test_add_func ("/key-file/what-is-no-key-file-is-refused", test_what_is_no_key_file_is_refused);
  return g_test_run ();
}
