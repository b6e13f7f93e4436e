/* SPDX-License-Identifier: Apache-2.0 */
#include "key-file.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "error.h"
#include "key-places.h"
#include "names.h"

typedef struct
{
  const char *what;
  const DnKey *keys;
  DnKeyPlaces *places; /* borrowed */
  const char *group;   /* of the table; NULL before the first */
  guint line;
} Reader;

/* "file 'x.conf:3': ..." */
static gboolean throw_here (const Reader *reader, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static gboolean
throw_here (const Reader *reader, GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  return dn_throw (error, DN_ERROR_CONFIG, "file '%s:%u': %s", reader->what, reader->line, message);
}

static gboolean
read_integer (const char *text, const DnKey *key, const Reader *reader, GError **error)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, key->min, key->max, &value, NULL))
    return throw_here (reader, error,
                       "[%s] %s = %s: must be a whole number from %" G_GUINT64_FORMAT
                       " to %" G_GUINT64_FORMAT,
                       key->group, key->key, text, key->min, key->max);
  *(guint64 *) key->ret_value = value * (key->scale == 0 ? 1 : key->scale);
  return TRUE;
}

static gboolean
read_boolean (const char *text, const DnKey *key, const Reader *reader, GError **error)
{
  gboolean is_yes = g_str_equal (text, "yes") || g_str_equal (text, "true");

  if (!is_yes && !g_str_equal (text, "no") && !g_str_equal (text, "false"))
    return throw_here (reader, error, "[%s] %s = %s: must be yes or no", key->group, key->key,
                       text);
  *(gboolean *) key->ret_value = is_yes;
  return TRUE;
}

static gboolean
read_choice (const char *text, const DnKey *key, const Reader *reader, GError **error)
{
  g_autofree char *all = g_strjoinv (", ", (char **) key->choices);

  for (int i = 0; key->choices[i] != NULL; i++)
    if (g_str_equal (text, key->choices[i]))
      {
        *(int *) key->ret_value = i;
        return TRUE;
      }
  /* "one of" one would be a riddle. */
  return throw_here (reader, error, "[%s] %s = %s: must be %s%s", key->group, key->key, text,
                     key->choices[1] != NULL ? "one of " : "", all);
}

gboolean
dn_key_list_item_is_valid (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isgraph (*at) || *at == ';')
      return FALSE;
  return text[0] != '\0' && strlen (text) <= DN_KEY_LIST_ITEM_MAX_BYTES;
}

static gboolean
read_words (const char *text, const DnKey *key, const Reader *reader, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ";", -1);
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      const char *word = g_strstrip (parts[i]);

      /* An end with ';' is how GKeyFile itself writes lists. */
      if (word[0] == '\0' && parts[i + 1] == NULL)
        continue;
      if (key->type == DN_KEY_WORDS && !dn_name_is_valid (word))
        return throw_here (reader, error,
                           "[%s] %s: must be words of letters, digits, '_', '.' and '-' with ';' "
                           "between them",
                           key->group, key->key);
      if (key->type == DN_KEY_LIST && !dn_key_list_item_is_valid (word))
        return throw_here (reader, error,
                           "[%s] %s: must be texts of at most %d visible characters with ';' "
                           "between them",
                           key->group, key->key, DN_KEY_LIST_ITEM_MAX_BYTES);
      if (g_ptr_array_find_with_equal_func (words, word, g_str_equal, NULL))
        return throw_here (reader, error, "[%s] %s: '%s' stands there twice", key->group, key->key,
                           word);
      g_ptr_array_add (words, g_strdup (word));
    }
  g_ptr_array_add (words, NULL);
  g_strfreev (*(char ***) key->ret_value);
  *(char ***) key->ret_value
      = (char **) (void *) g_ptr_array_free (g_steal_pointer (&words), FALSE);
  return TRUE;
}

static gboolean
read_word (const char *text, const DnKey *key, const Reader *reader, GError **error)
{
  if (!dn_name_is_valid (text))
    return throw_here (reader, error,
                       "[%s] %s: must be a word of at most %d letters, digits, '_', '.' and '-'",
                       key->group, key->key, DN_NAME_MAX_BYTES);
  g_free (*(char **) key->ret_value);
  *(char **) key->ret_value = g_strdup (text);
  return TRUE;
}

static gboolean
read_path (const char *text, const DnKey *key, const Reader *reader, GError **error)
{
  if (!g_path_is_absolute (text) || strlen (text) >= PATH_MAX)
    return throw_here (reader, error, "[%s] %s = %s: must be an absolute path", key->group,
                       key->key, text);
  g_free (*(char **) key->ret_value);
  *(char **) key->ret_value = g_strdup (text);
  return TRUE;
}

static gboolean
read_value (const char *name, const char *text, const DnKey *key, const Reader *reader,
            GError **error)
{
  switch (key->type)
    {
    case DN_KEY_INTEGER:
      return read_integer (text, key, reader, error);
    case DN_KEY_BOOLEAN:
      return read_boolean (text, key, reader, error);
    case DN_KEY_WORD:
      return read_word (text, key, reader, error);
    case DN_KEY_PATH:
      return read_path (text, key, reader, error);
    case DN_KEY_CHOICE:
      return read_choice (text, key, reader, error);
    case DN_KEY_WORDS:
    case DN_KEY_LIST:
      return read_words (text, key, reader, error);
    case DN_KEY_TABLE:
      g_ptr_array_add (key->ret_value, g_strdup (name));
      g_ptr_array_add (key->ret_value, g_strdup (text));
      return TRUE;
    }
  g_assert_not_reached ();
}

static const DnKey *
find_key (const DnKey *keys, const char *group, const char *name)
{
  for (; keys->group != NULL; keys++)
    if (g_str_equal (keys->group, group)
        && (name == NULL || g_str_equal (keys->key, name) || g_str_equal (keys->key, "*")))
      return keys;
  return NULL;
}

static gboolean
read_group (Reader *reader, char *line, GError **error)
{
  gsize size = strlen (line);
  const DnKey *key;

  if (line[size - 1] != ']' || size < 3 || strcspn (line + 1, "[]") != size - 2)
    return throw_here (reader, error, "must be [GROUP]");
  line[size - 1] = '\0';
  key = find_key (reader->keys, line + 1, NULL);
  if (key == NULL)
    return throw_here (reader, error, "[%s]: unknown group", line + 1);
  reader->group = key->group;
  return TRUE;
}

static gboolean
read_key (Reader *reader, char *line, GError **error)
{
  char *equals = strchr (line, '=');
  const DnKey *key;
  guint before;

  if (equals == NULL || equals == line)
    return throw_here (reader, error, "must be KEY = VALUE, [GROUP], or a comment behind a '#'");
  *equals = '\0';
  g_strchomp (line);
  if (reader->group == NULL)
    return throw_here (reader, error, "%s: stands before the first [GROUP]", line);
  key = find_key (reader->keys, reader->group, line);
  if (key == NULL)
    return throw_here (reader, error, "[%s] %s: unknown key", reader->group, line);
  before = dn_key_places_find (reader->places, reader->group, line);
  if (before != 0)
    return throw_here (reader, error, "[%s] %s: stands there twice, before in line %u",
                       reader->group, line, before);
  if (!read_value (line, g_strchug (equals + 1), key, reader, error))
    return FALSE;
  dn_key_places_add (reader->places, reader->group, line, reader->line);
  return TRUE;
}

static gboolean
read_lines (Reader *reader, const char *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *line = g_strstrip (lines[i]);

      reader->line = i + 1;
      if (line[0] == '\0' || line[0] == '#')
        continue;
      for (const char *at = line; *at != '\0'; at++)
        if (g_ascii_iscntrl (*at) && *at != '\t')
          return throw_here (reader, error, "holds a control character");
      if (!(line[0] == '[' ? read_group (reader, line, error) : read_key (reader, line, error)))
        return FALSE;
    }
  return TRUE;
}

/* In the line in which it begins. */
static gboolean
refuse_text (const char *text, gsize size, const char *end, Reader *reader, GError **error)
{
  if (size > DN_KEY_FILE_MAX_BYTES)
    return dn_throw (error, DN_ERROR_CONFIG, "file '%s': larger than %d bytes", reader->what,
                     DN_KEY_FILE_MAX_BYTES);
  reader->line = 1;
  for (; text < end; text++)
    reader->line += *text == '\n';
  return throw_here (reader, error, "not UTF-8 text");
}

gboolean
dn_key_file_parse_places (const char *text, gsize size, const char *what, const DnKey *keys,
                          DnKeyPlaces *places, GError **error)
{
  g_autoptr (DnKeyPlaces) own = places == NULL ? dn_key_places_new () : NULL;
  g_autofree char *copy = NULL;
  Reader reader = { .what = what, .keys = keys, .places = places != NULL ? places : own };
  const char *end = text;

  /* A NUL is no text either: this stops at one. */
  if (size > DN_KEY_FILE_MAX_BYTES || !g_utf8_validate (text, (gssize) size, &end))
    return refuse_text (text, size, end, &reader, error);
  copy = g_strndup (text, size);
  return read_lines (&reader, copy, error);
}

gboolean
dn_key_file_parse (const char *text, gsize size, const char *what, const DnKey *keys,
                   GError **error)
{
  return dn_key_file_parse_places (text, size, what, keys, NULL, error);
}

gboolean
dn_key_file_read (const char *path, const DnKey *keys, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  gsize size;

  if (!g_file_get_contents (path, &text, &size, &local))
    return dn_throw (error,
                     g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? DN_ERROR_NOT_FOUND
                                                                               : DN_ERROR_FAILED,
                     "file '%s': %s", path, local->message);
  return dn_key_file_parse (text, size, path, keys, error);
}

char *
dn_key_print (const DnKey *key)
{
  switch (key->type)
    {
    case DN_KEY_INTEGER:
      return g_strdup_printf ("%" G_GUINT64_FORMAT,
                              *(guint64 *) key->ret_value / (key->scale == 0 ? 1 : key->scale));
    case DN_KEY_BOOLEAN:
      return g_strdup (*(gboolean *) key->ret_value ? "yes" : "no");
    case DN_KEY_WORD:
    case DN_KEY_PATH:
      return g_strdup (*(char **) key->ret_value);
    case DN_KEY_CHOICE:
      return g_strdup (key->choices[*(int *) key->ret_value]);
    case DN_KEY_WORDS:
    case DN_KEY_LIST:
      return g_strjoinv (";", *(char ***) key->ret_value);
    case DN_KEY_TABLE:
      return NULL;
    }
  g_assert_not_reached ();
}
