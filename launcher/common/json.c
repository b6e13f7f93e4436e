/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>
#include <string.h>

#include "error.h"

#define WORD_MAX_BYTES 40 /* of a number: a double needs 24 */

/* What json-glib does not refuse: depth, duplicate keys, comments, single quotes, a second
 * document.  One pass over the bytes, with a set of keys for each open object. */
typedef struct
{
  const char *at;
  const char *end;
  const char *what;
  char *writable; /* the text, where integers above int64 are made the largest; else NULL */
  const char *start;
  GHashTable *keys[DN_JSON_DEPTH_MAX]; /* owned; NULL for an array */
  gboolean wants_key[DN_JSON_DEPTH_MAX];
  guint depth;
} Scan;

/* The four digits after "\\u", or -1. */
static int
scan_unit (Scan *scan)
{
  int unit = 0;

  for (int i = 0; i < 4; i++, scan->at++)
    {
      if (scan->at >= scan->end || !g_ascii_isxdigit (*scan->at))
        return -1;
      unit = unit * 16 + g_ascii_xdigit_value (*scan->at);
    }
  return unit;
}

/* From a backslash to the last byte of its escape.  json-glib takes unknown escapes for the letter
 * itself and halves of surrogate pairs for characters. */
static gboolean
scan_escape (Scan *scan, GError **error)
{
  int unit;

  scan->at++;
  if (scan->at < scan->end && *scan->at != '\0' && strchr ("\"\\/bfnrt", *scan->at) != NULL)
    return TRUE;
  if (scan->at >= scan->end || *scan->at++ != 'u' || (unit = scan_unit (scan)) < 0)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: unknown escape in a string", scan->what);
  /* A NUL ends the text for C: what follows would be there and not be seen. */
  if (unit == 0)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: NUL in a string", scan->what);
  if (unit >= 0xd800 && unit < 0xdc00 && scan->end - scan->at >= 2 && scan->at[0] == '\\'
      && scan->at[1] == 'u')
    {
      scan->at += 2;
      unit = scan_unit (scan) - 0x400; /* of the second half, so that a fit is the first's range */
      unit = unit >= 0xd800 && unit < 0xdc00 ? 0 : 0xd800;
    }
  if (unit >= 0xd800 && unit < 0xe000)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: half a character in a string", scan->what);
  scan->at--;
  return TRUE;
}

/* Takes a string's bytes as they stand; "a" and "\u0061" count as different keys, which is why
 * escapes in keys are refused. */
static gboolean
scan_string (Scan *scan, gboolean is_key, GError **error)
{
  const char *start = ++scan->at;
  gboolean has_escape = FALSE;

  for (; scan->at < scan->end && *scan->at != '"'; scan->at++)
    {
      if ((guchar) *scan->at < 0x20 || (is_key && *scan->at == 0x7f))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: control character in a string", scan->what);
      if (*scan->at == '\\')
        {
          has_escape = TRUE;
          if (!scan_escape (scan, error))
            return FALSE;
        }
    }
  if (scan->at >= scan->end)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: string without an end", scan->what);
  if (is_key)
    {
      g_autofree char *key = g_strndup (start, (gsize) (scan->at - start));

      if (has_escape)
        return dn_throw (error, DN_ERROR_CONFIG, "%s: escape in the key '%s'", scan->what, key);
      if (g_hash_table_contains (scan->keys[scan->depth - 1], key))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: key '%s' occurs twice", scan->what, key);
      g_hash_table_add (scan->keys[scan->depth - 1], g_steal_pointer (&key));
    }
  scan->at++;
  return TRUE;
}

static gboolean
scan_open (Scan *scan, gboolean is_object, GError **error)
{
  if (scan->depth == DN_JSON_DEPTH_MAX)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: nested deeper than %d levels", scan->what,
                     DN_JSON_DEPTH_MAX);
  scan->keys[scan->depth]
      = is_object ? g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) : NULL;
  scan->wants_key[scan->depth] = is_object;
  scan->depth++;
  scan->at++;
  return TRUE;
}

static gboolean
scan_close (Scan *scan, gboolean is_object, GError **error)
{
  if (scan->depth == 0 || (scan->keys[scan->depth - 1] != NULL) != is_object)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: brackets do not match", scan->what);
  scan->depth--;
  g_clear_pointer (&scan->keys[scan->depth], g_hash_table_unref);
  scan->at++;
  return TRUE;
}

/* Whether @word is a number as RFC 8259 has it, and fits: an integer into 64 bits, which json-glib
 * would cut or turn into -1, another into a finite double. */
static gboolean
is_number (const char *word)
{
  const char *at = word + (*word == '-');
  gsize digits = strspn (at, "0123456789");
  gboolean is_integer = at[digits] == '\0';

  if (digits == 0 || (at[0] == '0' && digits > 1))
    return FALSE;
  if (is_integer)
    return g_ascii_string_to_signed (word, 10, G_MININT64, G_MAXINT64, NULL, NULL);
  at += digits;
  if (*at == '.')
    {
      digits = strspn (++at, "0123456789");
      if (digits == 0)
        return FALSE;
      at += digits;
    }
  if (*at == 'e' || *at == 'E')
    {
      at++;
      at += *at == '+' || *at == '-';
      digits = strspn (at, "0123456789");
      if (digits == 0)
        return FALSE;
      at += digits;
    }
  return *at == '\0' && isfinite (g_ascii_strtod (word, NULL));
}

/* An unsigned integer above what json-glib can hold becomes the largest that it can, which has at
 * most as many digits; blanks fill up. */
static gboolean
saturate (Scan *scan, const char *word, gsize size)
{
  static const char largest[] = "9223372036854775807";
  char *at;

  if (scan->writable == NULL || word[0] == '0'
      || !g_ascii_string_to_unsigned (word, 10, 0, G_MAXUINT64, NULL, NULL))
    return FALSE;
  at = scan->writable + (scan->at - scan->start);
  memset (at, ' ', size);
  memcpy (at, largest, sizeof largest - 1);
  return TRUE;
}

/* A number, true, false or null: json-glib's scanner is lax about what a bare word may be. */
static gboolean
scan_word (Scan *scan, GError **error)
{
  char word[WORD_MAX_BYTES + 1];
  gsize size = 0;

  while (size < (gsize) (scan->end - scan->at)
         && (g_ascii_isalnum (scan->at[size])
             || (scan->at[size] != '\0' && strchr ("+-.", scan->at[size]) != NULL)))
    size++;
  if (size == 0)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: byte 0x%02x outside a string", scan->what,
                     (guint) (guchar) *scan->at);
  memcpy (word, scan->at, MIN (size, WORD_MAX_BYTES));
  word[MIN (size, WORD_MAX_BYTES)] = '\0';
  if (size > WORD_MAX_BYTES
      || !(g_str_equal (word, "true") || g_str_equal (word, "false") || g_str_equal (word, "null")
           || is_number (word) || saturate (scan, word, size)))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "%s: '%s' is neither a number that fits, nor true, false or null", scan->what,
                     word);
  scan->at += size;
  return TRUE;
}

static gboolean
scan_token (Scan *scan, GError **error)
{
  gboolean in_object = scan->depth > 0 && scan->keys[scan->depth - 1] != NULL;

  switch (*scan->at)
    {
    case '"':
      if (in_object && scan->wants_key[scan->depth - 1])
        {
          scan->wants_key[scan->depth - 1] = FALSE;
          return scan_string (scan, TRUE, error);
        }
      return scan_string (scan, FALSE, error);
    case '{':
    case '[':
      return scan_open (scan, *scan->at == '{', error);
    case '}':
    case ']':
      return scan_close (scan, *scan->at == '}', error);
    case ',':
      if (in_object)
        scan->wants_key[scan->depth - 1] = TRUE;
      scan->at++;
      return TRUE;
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case ':':
      scan->at++;
      return TRUE;
    default:
      return scan_word (scan, error);
    }
}

static gboolean
scan_document (const char *text, gsize size, char *writable, const char *what, GError **error)
{
  Scan scan = { .at = text, .end = text + size, .what = what, .writable = writable, .start = text };
  gboolean is_fine = TRUE, has_ended = FALSE;

  while (is_fine && scan.at < scan.end)
    {
      gboolean is_blank = strchr (" \t\r\n", *scan.at) != NULL && *scan.at != '\0';

      if (has_ended && !is_blank)
        is_fine = dn_throw (error, DN_ERROR_CONFIG, "%s: something follows the document", what);
      else
        is_fine = scan_token (&scan, error);
      if (!is_blank && scan.depth == 0)
        has_ended = TRUE;
    }
  if (is_fine && (scan.depth != 0 || !has_ended))
    is_fine = dn_throw (error, DN_ERROR_CONFIG, "%s: the document is not complete", what);
  while (scan.depth > 0)
    g_clear_pointer (&scan.keys[--scan.depth], g_hash_table_unref);
  return is_fine;
}

/* @writable: @text once more, or NULL */
static JsonNode *
parse (const char *text, gsize size, gsize size_max, char *writable, const char *what,
       GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) local = NULL;

  if (size > size_max)
    {
      dn_throw (error, DN_ERROR_CONFIG, "%s: larger than %" G_GSIZE_FORMAT " bytes", what,
                size_max);
      return NULL;
    }
  if (!g_utf8_validate (text, (gssize) size, NULL))
    {
      dn_throw (error, DN_ERROR_CONFIG, "%s: not UTF-8", what);
      return NULL;
    }
  if (size == 0 || !scan_document (text, size, writable, what, error))
    {
      if (size == 0)
        dn_throw (error, DN_ERROR_CONFIG, "%s: empty", what);
      return NULL;
    }
  if (!json_parser_load_from_data (parser, text, (gssize) size, &local)
      || json_parser_get_root (parser) == NULL)
    {
      dn_throw (error, DN_ERROR_CONFIG, "%s: %s", what,
                local != NULL ? local->message : "no document");
      return NULL;
    }
  return json_parser_steal_root (parser);
}

JsonNode *
dn_json_parse (const char *text, gsize size, gsize size_max, const char *what, GError **error)
{
  return parse (text, size, size_max, NULL, what, error);
}

JsonNode *
dn_json_parse_unsigned (const char *text, gsize size, gsize size_max, const char *what,
                        GError **error)
{
  /* One that is too large is refused as it is. */
  g_autofree char *copy = size <= size_max ? g_memdup2 (text, size) : NULL;

  return parse (copy != NULL ? copy : text, size, size_max, copy, what, error);
}

static gboolean
read_strings (JsonNode *node, char ***ret_strings)
{
  g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);

      if (json_node_get_value_type (element) != G_TYPE_STRING)
        return FALSE;
      g_ptr_array_add (strings, g_strdup (json_node_get_string (element)));
    }
  g_ptr_array_add (strings, NULL);
  g_strfreev (*ret_strings);
  *ret_strings = (char **) g_ptr_array_free (g_steal_pointer (&strings), FALSE);
  return TRUE;
}

static gboolean
read_value (JsonNode *node, const DnJsonField *field)
{
  GType type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

  switch (field->type)
    {
    case DN_JSON_STRING:
      if (type != G_TYPE_STRING)
        return FALSE;
      g_free (*(char **) field->ret_value);
      *(char **) field->ret_value = g_strdup (json_node_get_string (node));
      return TRUE;
    case DN_JSON_INT:
      if (type != G_TYPE_INT64)
        return FALSE;
      *(gint64 *) field->ret_value = json_node_get_int (node);
      return TRUE;
    case DN_JSON_BOOL:
      if (type != G_TYPE_BOOLEAN)
        return FALSE;
      *(gboolean *) field->ret_value = json_node_get_boolean (node);
      return TRUE;
    case DN_JSON_DOUBLE:
      if (type != G_TYPE_DOUBLE && type != G_TYPE_INT64)
        return FALSE;
      *(double *) field->ret_value = json_node_get_double (node);
      return TRUE;
    case DN_JSON_STRINGS:
      return read_strings (node, field->ret_value);
    case DN_JSON_OBJECT:
      if (!JSON_NODE_HOLDS_OBJECT (node))
        return FALSE;
      *(JsonObject **) field->ret_value = json_node_dup_object (node);
      return TRUE;
    case DN_JSON_ARRAY:
      if (!JSON_NODE_HOLDS_ARRAY (node))
        return FALSE;
      *(JsonArray **) field->ret_value = json_node_dup_array (node);
      return TRUE;
    }
  g_assert_not_reached ();
}

static const char *
type_words (DnJsonType type)
{
  static const char *const words[] = { [DN_JSON_STRING] = "a string",
                                       [DN_JSON_INT] = "an integer",
                                       [DN_JSON_BOOL] = "true or false",
                                       [DN_JSON_DOUBLE] = "a number",
                                       [DN_JSON_STRINGS] = "a list of strings",
                                       [DN_JSON_OBJECT] = "an object",
                                       [DN_JSON_ARRAY] = "a list" };

  return words[type];
}

static const DnJsonField *
find_field (const DnJsonField *fields, const char *name)
{
  for (; fields->name != NULL; fields++)
    if (g_str_equal (fields->name, name))
      return fields;
  return NULL;
}

gboolean
dn_json_read (JsonObject *object, const DnJsonField *fields, const char *what, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &node))
    {
      const DnJsonField *field = find_field (fields, name);

      if (field == NULL)
        return dn_throw (error, DN_ERROR_CONFIG, "%s: unknown key '%s'", what, name);
      if (JSON_NODE_HOLDS_NULL (node) && !field->is_mandatory)
        continue;
      if (!read_value (node, field))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: '%s' must be %s", what, name,
                         type_words (field->type));
    }
  for (; fields->name != NULL; fields++)
    if (fields->is_mandatory && !json_object_has_member (object, fields->name))
      return dn_throw (error, DN_ERROR_CONFIG, "%s: '%s' is missing", what, fields->name);
  return TRUE;
}

/* Copies a number from @at to @text, but not the ".0" that json-glib 1.6 puts behind an exponent.
 * Returns the end. */
static const char *
append_number (GString *text, const char *at)
{
  gsize size = strspn (at, "+-.0123456789eE");
  gsize kept = size;

  if (size > 2 && memcmp (at + size - 2, ".0", 2) == 0
      && (memchr (at, 'e', size) != NULL || memchr (at, 'E', size) != NULL))
    kept = size - 2;
  g_string_append_len (text, at, (gssize) kept);
  return at + size;
}

/* json-glib 1.6 writes two things that its readers take and the scan above rightly refuses: the
 * control character 0x1f as it is, and numbers like 2e+53.0. */
char *
dn_json_to_text (JsonNode *node, gboolean pretty)
{
  g_autofree char *raw = json_to_string (node, pretty);
  g_autoptr (GString) text = g_string_sized_new (strlen (raw) + 1);
  gboolean is_in_string = FALSE;

  for (const char *at = raw; *at != '\0';)
    if (is_in_string && *at == 0x1f)
      {
        g_string_append (text, "\\u001f");
        at++;
      }
    else if (is_in_string && *at == '\\')
      {
        g_string_append_len (text, at, 2);
        at += 2;
      }
    else if (!is_in_string && (g_ascii_isdigit (*at) || *at == '-'))
      at = append_number (text, at);
    else
      {
        is_in_string ^= *at == '"';
        g_string_append_c (text, *at++);
      }
  return g_string_free (g_steal_pointer (&text), FALSE);
}
