/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/key-*.c launcher/common/names.c launcher/common/error.c */
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
  static const char *const choices[] = { "auto", "vsock", NULL }, *const only[] = { "here", NULL };
  const DnKey keys[] = {
    { "guest", "size_mib", DN_KEY_INTEGER, &values->size, 16, 1024, 1048576, NULL },
    { "guest", "on", DN_KEY_BOOLEAN, &values->is_on, 0, 0, 0, NULL },
    { "guest", "transport", DN_KEY_CHOICE, &values->choice, 0, 0, 0, choices },
    { "guest", "only", DN_KEY_CHOICE, &values->choice, 0, 0, 0, only },
    { "context", "tenant", DN_KEY_WORD, &values->word, 0, 0, 0, NULL },
    { "context", "file", DN_KEY_PATH, &values->path, 0, 0, 0, NULL },
    { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL },
  };

  return dn_key_file_parse (text, strlen (text), "x.conf", keys, error);
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

/* Each with the line it stands in; what is before it is fine. */
static const char *const refusals[][2] = {
  { "[network]\nmode = none\n", ":1': [network]: unknown group" },
  { "# a\n\n[guest]\non = yes\n[network]\n", ":5': [network]: unknown group" },
  { "[guest]\nsize = 3\n", ":2': [guest] size: unknown key" },
  { "[guest]\non = no\n\ntenant = a\n", ":4': [guest] tenant: unknown key" },
  /* Twice, also where the group is opened anew. */
  { "[guest]\non = yes\non = no\n", ":3': [guest] on: stands there twice, before in line 2" },
  { "[guest]\non = yes\n[context]\n[guest]\non=no\n",
    ":5': [guest] on: stands there twice, before in line 2" },
  /* Types. */
  { "[guest]\nsize_mib = 12abc\n",
    ":2': [guest] size_mib = 12abc: must be a whole number from 16 to 1024" },
  { "[guest]\nsize_mib = 2048\n",
    ":2': [guest] size_mib = 2048: must be a whole number from 16 to 1024" },
  { "[guest]\nsize_mib = -1\n",
    ":2': [guest] size_mib = -1: must be a whole number from 16 to 1024" },
  { "[guest]\nsize_mib =\n", ":2': [guest] size_mib = : must be a whole number from 16 to 1024" },
  { "[guest]\non = maybe\n", ":2': [guest] on = maybe: must be yes or no" },
  { "[guest]\n\n# x\ntransport = tcp\n",
    ":4': [guest] transport = tcp: must be one of auto, vsock" },
  { "[guest]\nonly = tcp\n", ":2': [guest] only = tcp: must be here" },
  { "[context]\ntenant = a b\n", ":2': [context] tenant: must be a word of at most 63 letters, "
                                 "digits, '_', '.' and '-'" },
  /* No such file at all. */
  { "tenant = a\n", ":1': tenant: stands before the first [GROUP]" },
  { "[guest]\non\n", ":2': must be KEY = VALUE, [GROUP], or a comment behind a '#'" },
  { "[guest]\n = yes\n", ":2': must be KEY = VALUE, [GROUP], or a comment behind a '#'" },
  { "[guest\n", ":1': must be [GROUP]" },
  { "[guest] x\n", ":1': must be [GROUP]" },
  { "[]\n", ":1': must be [GROUP]" },
  { "[guest]]\n", ":1': must be [GROUP]" },
  { "[\n", ":1': must be [GROUP]" },
  { "[guest]\non = \033[31mno\n", ":2': holds a control character" },
  { "[guest]\n\non = \xff\n", ":3': not UTF-8 text" },
};

static void
test_what_is_wrong_is_named_with_its_line (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      Values values = { 0 };
      g_autofree char *whole = g_strconcat ("file 'x.conf", refusals[i][1], NULL);
      g_autoptr (GError) error = NULL;

      g_assert_false (parse (refusals[i][0], &values, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
      g_assert_cmpstr (error->message, ==, whole);
      g_free (values.word);
    }
}

static void
test_a_nul_and_too_much_are_refused (void)
{
  const DnKey keys[] = { { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL } };
  g_autofree char *big = g_strnfill (DN_KEY_FILE_MAX_BYTES + 1, '#');
  g_autoptr (GError) error = NULL;

  g_assert_false (dn_key_file_parse ("#\n#\0\n", 5, "x.conf", keys, &error));
  g_assert_cmpstr (error->message, ==, "file 'x.conf:2': not UTF-8 text");
  g_clear_error (&error);
  g_assert_false (dn_key_file_parse (big, DN_KEY_FILE_MAX_BYTES + 1, "x.conf", keys, &error));
  g_assert_nonnull (strstr (error->message, "file 'x.conf': larger than 262144 bytes"));
  g_assert_true (dn_key_file_parse (big, DN_KEY_FILE_MAX_BYTES, "x.conf", keys, NULL));
}

static void
test_places_are_known (void)
{
  guint64 a = 0, b = 0;
  const DnKey keys[] = {
    { "one", "a", DN_KEY_INTEGER, &a, 0, 9, 0, NULL },
    { "one", "b", DN_KEY_INTEGER, &b, 0, 9, 0, NULL },
    { "two", "a", DN_KEY_INTEGER, &a, 0, 9, 0, NULL },
    { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL },
  };
  const char *text = "[two]\n\na = 2\n[one]\nb = 2\n";
  g_autoptr (DnKeyPlaces) places = dn_key_places_new (), copy = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (dn_key_file_parse_places (text, strlen (text), "x.conf", keys, places, &error));
  copy = dn_key_places_copy (places);
  g_assert_cmpuint (dn_key_places_find (copy, "two", "a"), ==, 3);
  g_assert_cmpuint (dn_key_places_find (copy, "one", "b"), ==, 5);
  g_assert_cmpuint (dn_key_places_find (copy, "one", "a"), ==, 0);
  g_assert_cmpuint (dn_key_places_find (NULL, "two", "a"), ==, 0);
  g_assert_false (dn_key_file_throw (&error, "x.conf", copy, "one", "b", "is %d", 2));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==, "file 'x.conf:5': [one] b: is 2");
  g_clear_error (&error);
  g_assert_false (dn_key_file_throw (&error, "x.conf", copy, "one", "a", "is missing"));
  g_assert_cmpstr (error->message, ==, "file 'x.conf': [one] a: is missing");
}

static void
test_values_are_printed_as_a_file_has_them (void)
{
  static const char *const choices[] = { "auto", "vsock", NULL };
  char *words[] = { (char *) "a", (char *) "b", NULL }, **list = words, *word = (char *) "acme";
  guint64 size = 3 * 1048576;
  gboolean is_on = TRUE;
  int choice = 1;
  const struct
  {
    DnKey key;
    const char *text;
  } cases[] = {
    { { "g", "k", DN_KEY_INTEGER, &size, 0, 9, 1048576, NULL }, "3" },
    { { "g", "k", DN_KEY_INTEGER, &size, 0, 9, 0, NULL }, "3145728" },
    { { "g", "k", DN_KEY_BOOLEAN, &is_on, 0, 0, 0, NULL }, "yes" },
    { { "g", "k", DN_KEY_WORD, &word, 0, 0, 0, NULL }, "acme" },
    { { "g", "k", DN_KEY_PATH, &word, 0, 0, 0, NULL }, "acme" },
    { { "g", "k", DN_KEY_CHOICE, &choice, 0, 0, 0, choices }, "vsock" },
    { { "g", "k", DN_KEY_WORDS, &list, 0, 0, 0, NULL }, "a;b" },
    { { "g", "k", DN_KEY_LIST, &list, 0, 0, 0, NULL }, "a;b" },
    { { "g", "k", DN_KEY_TABLE, NULL, 0, 0, 0, NULL }, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = dn_key_print (&cases[i].key);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

static void
test_lists_and_free_keys_are_read (void)
{
  g_autofree char *path = NULL;
  g_auto (GStrv) words = NULL, list = NULL;
  g_autoptr (GPtrArray) table = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  const DnKey keys[] = {
    { "list", "words", DN_KEY_WORDS, &words, 0, 0, 0, NULL },
    { "list", "globs", DN_KEY_LIST, &list, 0, 0, 0, NULL },
    { "list", "path", DN_KEY_PATH, &path, 0, 0, 0, NULL },
    { "table", "*", DN_KEY_TABLE, table, 0, 0, 0, NULL },
    { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL },
  };
  static const char *const refused[][2] = {
    { "[list]\npath = a/b\n", "[list] path = a/b: must be an absolute path" },
    { "[list]\npath =\n", "must be an absolute path" },
    { "[list]\nwords = a;;b\n", "must be words" },
    { "[list]\nwords = a;b c\n", "must be words" },
    { "[list]\nwords = a;b;a\n", "'a' stands there twice" },
    { "[list]\nglobs = a;b;a\n", "x.conf:2': [list] globs: 'a' stands there twice" },
    { "[list]\nglobs = a b\n", "must be texts of at most 255 visible characters" },
    { "[list]\nglobs = \303\244\n", "must be texts of at most 255 visible characters" },
    { "[table]\n/b = 1\n/b = 2\n", "[table] /b: stands there twice" },
  };
  const char *text = "[list]\npath = /a b/c\nwords = a ; b;\nglobs = a/*:1 ; "
                     "**@sha256:?;\n[table]\n/b = 1 2\n/a = \n";

  g_assert_true (dn_key_file_parse (text, strlen (text), "x.conf", keys, &error));
  g_assert_cmpuint (g_strv_length (words), ==, 2);
  g_assert_cmpstr (words[1], ==, "b");
  g_assert_cmpstr (path, ==, "/a b/c");
  g_assert_cmpuint (g_strv_length (list), ==, 2);
  g_assert_cmpstr (list[0], ==, "a/*:1");
  g_assert_cmpstr (list[1], ==, "**@sha256:?");
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
  g_test_add_func ("/key-file/what-is-wrong-is-named-with-its-line",
                   test_what_is_wrong_is_named_with_its_line);
  g_test_add_func ("/key-file/a-nul-and-too-much-are-refused", test_a_nul_and_too_much_are_refused);
  g_test_add_func ("/key-file/places-are-known", test_places_are_known);
  g_test_add_func ("/key-file/values-are-printed-as-a-file-has-them",
                   test_values_are_printed_as_a_file_has_them);
  g_test_add_func ("/key-file/lists-and-free-keys-are-read", test_lists_and_free_keys_are_read);
  return g_test_run ();
}
