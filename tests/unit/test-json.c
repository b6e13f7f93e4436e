/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/json.c launcher/common/error.c */
#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"

#include <string.h>

static JsonNode *
parse (const char *text, GError **error)
{
  return dn_json_parse (text, strlen (text), 4096, "document", error);
}

static void
test_refuses_what_json_glib_would_take (void)
{
  static const char *const bad[] = {
    "",
    " ",
    "{",
    "}",
    "[}",
    "{]",
    "[1,]",
    "[1 2]",
    "[,1]",
    "{\"a\":}",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "{a:1}",
    "{'a':1}",
    "{\"a\":1,\"a\":2}",
    "{\"x\":{\"a\":1,\"b\":2,\"a\":3}}",
    "{\"\\u0061\":1}",
    "{} {}",
    "{}x",
    "[1]//",
    "/* c */ {}",
    "# c\n{}",
    "[01]",
    "[+1]",
    "[1.]",
    "[.5]",
    "[1e]",
    "[0x10]",
    "[0b1]",
    "[-]",
    "[--1]",
    "[1e999]",
    "[NaN]",
    "[Infinity]",
    "[TRUE]",
    "[nil]",
    "[truefalse]",
    "[9223372036854775808]",
    "[-9223372036854775809]",
    "[99999999999999999999]",
    "[111111111111111111111111111111111111111111111111111111]",
    "[\"a]",
    "[\"\x01\"]",
    "[\"a\nb\"]",
    "[\"a\\u0000b\"]",
    "[\"\\x41\"]",
    "[\"\\u12\"]",
    "[\"\\u12g4\"]",
    "[\"\\ud83d\"]",
    "[\"\\ude00\"]",
    "[\"\\ud83d\\u0041\"]",
    "[\"\\ud83dx\"]",
    "[\"\\",
    "[\"\\u",
    "[\"\\ud83d\\u",
    "[\"\xff\"]",
    "[\"\xc0\x80\"]",
    "\"\\",
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = parse (bad[i], &error);

      if (node != NULL)
        g_test_fail_printf ("%u: taken: %s", i, bad[i]);
      else
        g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
    }
}

static void
test_takes_what_is_json (void)
{
  static const char *const fine[] = {
    "{}",
    " [ ] ",
    "\t{\r\n\"a\" : [ 1 , -0 , 0.5 , -1e-3 , 1E+2 , true , false , null ] }\n",
    "[9223372036854775807, -9223372036854775808]",
    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"]",
    "{\"a\":{\"b\":1},\"b\":{\"b\":1}}",
    "[{\"a\":1},{\"a\":1}]",
    "\"text\"",
    "[\"{\", \"[\", \"//\", \"'\"]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (fine); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = parse (fine[i], &error);

      if (node == NULL)
        g_test_fail_printf ("%s: %s", fine[i], error->message);
    }
}

static void
test_bounds_depth_and_size (void)
{
  for (guint depth = DN_JSON_DEPTH_MAX; depth <= DN_JSON_DEPTH_MAX + 1; depth++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (JsonNode) node = NULL;

      for (guint i = 0; i < depth; i++)
        g_string_append_c (text, '[');
      for (guint i = 0; i < depth; i++)
        g_string_append_c (text, ']');
      node = parse (text->str, NULL);
      g_assert_true ((node != NULL) == (depth == DN_JSON_DEPTH_MAX));
    }
  g_assert_null (dn_json_parse ("[1]", 3, 2, "document", NULL));
}

/* The text need not end with a NUL: one byte more than @size must not be looked at. */
static void
test_stays_within_the_text (void)
{
  const char *text = "{\"a\": [1, \"x\\u0000\"]}";

  for (gsize size = 0; size <= strlen (text); size++)
    {
      g_autofree char *exact = g_memdup2 (text, size);
      g_autoptr (JsonNode) node = dn_json_parse (exact != NULL ? exact : "", size, 4096, "d", NULL);

      g_assert_null (node);
    }
}

static void
test_reads_members_by_a_table (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = parse (
      "{\"s\": \"x\", \"i\": -5, \"b\": true, \"d\": 1, \"l\": [\"a\", \"b\"], \"n\": null}",
      &error);
  g_autofree char *s = NULL, *n = g_strdup ("kept");
  gint64 i = 0;
  gboolean b = FALSE;
  double d = 0;
  g_auto (GStrv) l = NULL;
  const DnJsonField fields[] = { { "s", DN_JSON_STRING, TRUE, &s },
                                 { "i", DN_JSON_INT, TRUE, &i },
                                 { "b", DN_JSON_BOOL, TRUE, &b },
                                 { "d", DN_JSON_DOUBLE, TRUE, &d },
                                 { "l", DN_JSON_STRINGS, TRUE, &l },
                                 { "n", DN_JSON_STRING, FALSE, &n },
                                 { NULL } };

  g_assert_no_error (error);
  g_assert_true (dn_json_read (json_node_get_object (node), fields, "object", &error));
  g_assert_cmpstr (s, ==, "x");
  g_assert_cmpint (i, ==, -5);
  g_assert_true (b);
  g_assert_cmpfloat (d, ==, 1.0);
  g_assert_cmpstr (l[1], ==, "b");
  g_assert_cmpstr (n, ==, "kept");
}

static void
test_wrong_types_are_errors_that_name_the_member (void)
{
  static const struct
  {
    const char *text;
    const char *words;
  } cases[] = {
    { "{\"i\": \"12\"}", "'i' must be an integer" },
    { "{\"i\": 1.9}", "'i' must be an integer" },
    { "{\"i\": true}", "'i' must be an integer" },
    { "{\"i\": [1]}", "'i' must be an integer" },
    { "{\"i\": null}", "'i' must be an integer" },
    { "{\"i\": 1, \"j\": 1}", "unknown key 'j'" },
    { "{}", "'i' is missing" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonNode) node = parse (cases[i].text, NULL);
      g_autoptr (GError) error = NULL;
      gint64 value = 7;
      const DnJsonField fields[] = { { "i", DN_JSON_INT, TRUE, &value }, { NULL } };

      g_assert_nonnull (node);
      g_assert_false (dn_json_read (json_node_get_object (node), fields, "object", &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
      g_assert_nonnull (strstr (error->message, cases[i].words));
    }
}

static void
test_what_it_writes_it_reads (void)
{
  g_autoptr (GString) all = g_string_new (NULL);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY), back = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  for (guint byte = 1; byte < 128; byte++)
    g_string_append_c (all, (char) byte);
  json_node_take_array (node, json_array_new ());
  json_array_add_string_element (json_node_get_array (node), all->str);
  text = dn_json_to_text (node, FALSE);
  back = parse (text, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (json_array_get_string_element (json_node_get_array (back), 0), ==, all->str);
}

static void
test_reads_unsigned_integers_of_oci_documents (void)
{
  static const struct
  {
    const char *text;
    gint64 value;
  } good[] = {
    { "[18446744073709551615,1]", G_MAXINT64 }, /* RLIM_INFINITY */
    { "[18446744073709551615]", G_MAXINT64 },   { "[9223372036854775808]", G_MAXINT64 },
    { "[9223372036854775807]", G_MAXINT64 },    { "[9223372036854775806]", G_MAXINT64 - 1 },
    { "[-9223372036854775808]", G_MININT64 },
  };
  static const char *const bad[]
      = { "[18446744073709551616]", "[-9223372036854775809]", "[018446744073709551615]",
          "[99999999999999999999]", "[+9223372036854775808]" };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strdup (good[i].text);
      g_autoptr (JsonNode) node
          = dn_json_parse_unsigned (text, strlen (text), 4096, "document", &error);

      g_assert_no_error (error);
      g_assert_cmpint (json_array_get_int_element (json_node_get_array (node), 0), ==,
                       good[i].value);
      /* What it was given stays as it was. */
      g_assert_cmpstr (text, ==, good[i].text);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (dn_json_parse_unsigned (bad[i], strlen (bad[i]), 4096, "document", &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
    }
}

static void
test_writes_large_numbers_that_can_be_read (void)
{
  static const double numbers[] = { 2e53, -1e300, 1e-9, 0.5, 1024, 0.1, 123456789.125 };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY), back = NULL;
      g_autofree char *text = NULL;
      g_autoptr (GError) error = NULL;

      json_node_take_array (node, json_array_new ());
      json_array_add_double_element (json_node_get_array (node), numbers[i]);
      json_array_add_string_element (json_node_get_array (node), "1e5.0");
      text = dn_json_to_text (node, FALSE);
      back = parse (text, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat (json_array_get_double_element (json_node_get_array (back), 0), ==,
                         numbers[i]);
      g_assert_cmpstr (json_array_get_string_element (json_node_get_array (back), 1), ==, "1e5.0");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/json/" name, function)
  ADD ("refuses-what-json-glib-would-take", test_refuses_what_json_glib_would_take);
  ADD ("takes-what-is-json", test_takes_what_is_json);
  ADD ("bounds-depth-and-size", test_bounds_depth_and_size);
  ADD ("stays-within-the-text", test_stays_within_the_text);
  ADD ("reads-members-by-a-table", test_reads_members_by_a_table);
  ADD ("wrong-types-are-errors-that-name-the-member",
       test_wrong_types_are_errors_that_name_the_member);
  ADD ("what-it-writes-it-reads", test_what_it_writes_it_reads);
  ADD ("reads-unsigned-integers-of-oci-documents", test_reads_unsigned_integers_of_oci_documents);
  ADD ("writes-large-numbers-that-can-be-read", test_writes_large_numbers_that_can_be_read);
  return g_test_run ();
}
