/* SPDX-License-Identifier: Apache-2.0 */
#include "key-file.h"

#include <errno.h>
#include <string.h>

#include "error.h"
#include "names.h"

/* What GKeyFile forgives: a key that stands twice in a group, also where the group is opened
 * anew.  Lines are read as GKeyFile reads them. */
static gboolean
refuse_doubles (const char *text, const char *what, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *group = g_strdup ("");

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *line = g_strstrip (lines[i]);
      char *equals = strchr (line, '=');
      g_autofree char *name = NULL;

      if (line[0] == '[' && strchr (line, ']') != NULL)
        {
          g_free (group);
          group = g_strndup (line + 1, (gsize) (strchr (line, ']') - line - 1));
        }
      if (line[0] == '#' || line[0] == '[' || equals == NULL)
        continue;
      *equals = '\0';
      g_strchomp (line);
      name = g_strdup_printf ("%s\n%s", group, line);
      if (!g_hash_table_add (seen, g_strdup (name)))
        return dn_throw (error, DN_ERROR_CONFIG, "file '%s': [%s] %s: stands there twice", what,
                         group, line);
    }
  return TRUE;
}

static gboolean
read_integer (const char *text, const DnKey *key, const char *what, GError **error)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, key->min, key->max, &value, NULL))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "file '%s': [%s] %s = %s: must be a whole number from %" G_GUINT64_FORMAT
                     " to %" G_GUINT64_FORMAT,
                     what, key->group, key->key, text, key->min, key->max);
  *(guint64 *) key->ret_value = value * (key->scale == 0 ? 1 : key->scale);
  return TRUE;
}

static gboolean
read_boolean (const char *text, const DnKey *key, const char *what, GError **error)
{
  gboolean is_yes = g_str_equal (text, "yes") || g_str_equal (text, "true");

  if (!is_yes && !g_str_equal (text, "no") && !g_str_equal (text, "false"))
    return dn_throw (error, DN_ERROR_CONFIG, "file '%s': [%s] %s = %s: must be yes or no", what,
                     key->group, key->key, text);
  *(gboolean *) key->ret_value = is_yes;
  return TRUE;
}

static gboolean
read_path (const char *text, const DnKey *key, const char *what, GError **error)
{
  gboolean is_plain = (text[0] == '/' || text[0] == '\0') && strlen (text) <= 1024;

  for (const char *p = text; is_plain && *p != '\0'; p++)
    is_plain = !g_ascii_iscntrl (*p);
  if (!is_plain)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "file '%s': [%s] %s: must be an absolute path of at most 1024 bytes", what,
                     key->group, key->key);
  g_free (*(char **) key->ret_value);
  *(char **) key->ret_value = text[0] != '\0' ? g_strdup (text) : NULL;
  return TRUE;
}

static gboolean
read_choice (const char *text, const DnKey *key, const char *what, GError **error)
{
  g_autofree char *all = g_strjoinv (", ", (char **) key->choices);

  for (int i = 0; key->choices[i] != NULL; i++)
    if (g_str_equal (text, key->choices[i]))
      {
        *(int *) key->ret_value = i;
        return TRUE;
      }
  return dn_throw (error, DN_ERROR_CONFIG, "file '%s': [%s] %s = %s: must be one of %s", what,
                   key->group, key->key, text, all);
}

static gboolean
read_words (const char *text, const DnKey *key, const char *what, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ";", -1);
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      const char *word = g_strstrip (parts[i]);

      /* An end with ';' is how GKeyFile itself writes lists. */
      if (word[0] == '\0' && parts[i + 1] == NULL)
        continue;
      if (!dn_name_is_valid (word))
        return dn_throw (error, DN_ERROR_CONFIG,
                         "file '%s': [%s] %s: must be words of letters, digits, '_', '.' and '-' "
                         "with ';' between them",
                         what, key->group, key->key);
      if (g_ptr_array_find_with_equal_func (words, word, g_str_equal, NULL))
        return dn_throw (error, DN_ERROR_CONFIG, "file '%s': [%s] %s: '%s' stands there twice",
                         what, key->group, key->key, word);
      g_ptr_array_add (words, g_strdup (word));
    }
  g_ptr_array_add (words, NULL);
  g_strfreev (*(char ***) key->ret_value);
  *(char ***) key->ret_value
      = (char **) (void *) g_ptr_array_free (g_steal_pointer (&words), FALSE);
  return TRUE;
}

static gboolean
read_key (const char *text, const DnKey *key, const char *what, GError **error)
{
  switch (key->type)
    {
    case DN_KEY_INTEGER:
      return read_integer (text, key, what, error);
    case DN_KEY_BOOLEAN:
      return read_boolean (text, key, what, error);
    case DN_KEY_WORD:
      if (!dn_name_is_valid (text))
        return dn_throw (error, DN_ERROR_CONFIG,
                         "file '%s': [%s] %s: must be a word of at most %d letters, digits, '_', "
                         "'.' and '-'",
                         what, key->group, key->key, DN_NAME_MAX_BYTES);
      g_free (*(char **) key->ret_value);
      *(char **) key->ret_value = g_strdup (text);
      return TRUE;
    case DN_KEY_PATH:
      return read_path (text, key, what, error);
    case DN_KEY_CHOICE:
      return read_choice (text, key, what, error);
    case DN_KEY_WORDS:
      return read_words (text, key, what, error);
    case DN_KEY_TABLE:
      break; /* read_group() */
    }
  g_assert_not_reached ();
}

static const DnKey *
find_key (const DnKey *keys, const char *group, const char *name, gboolean *ret_has_group)
{
  *ret_has_group = FALSE;
  for (; keys->group != NULL; keys++)
    if (g_str_equal (keys->group, group))
      {
        *ret_has_group = TRUE;
        if (name != NULL && (g_str_equal (keys->key, name) || g_str_equal (keys->key, "*")))
          return keys;
      }
  return NULL;
}

static gboolean
read_group (GKeyFile *file, const char *group, const char *what, const DnKey *keys, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (file, group, NULL, NULL);
  gboolean has_group;

  (void) find_key (keys, group, NULL, &has_group);
  if (!has_group)
    return dn_throw (error, DN_ERROR_CONFIG, "file '%s': [%s]: unknown group", what, group);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      const DnKey *key = find_key (keys, group, names[i], &has_group);
      g_autofree char *text = g_key_file_get_value (file, group, names[i], NULL);

      if (key == NULL)
        return dn_throw (error, DN_ERROR_CONFIG, "file '%s': [%s] %s: unknown key", what, group,
                         names[i]);
      g_strchomp (text);
      if (key->type == DN_KEY_TABLE)
        {
          g_ptr_array_add (key->ret_value, g_strdup (names[i]));
          g_ptr_array_add (key->ret_value, g_steal_pointer (&text));
        }
      else if (!read_key (text, key, what, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
dn_key_file_parse (const char *text, gsize size, const char *what, const DnKey *keys,
                   GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *copy = g_strndup (text, size);
  g_autoptr (GError) local = NULL;
  g_auto (GStrv) groups = NULL;

  if (size > DN_KEY_FILE_MAX_BYTES || strlen (copy) != size || !g_utf8_validate (copy, -1, NULL))
    return dn_throw (error, DN_ERROR_CONFIG, "file '%s': not UTF-8 text of at most %d bytes", what,
                     DN_KEY_FILE_MAX_BYTES);
  if (!g_key_file_load_from_data (file, copy, size, G_KEY_FILE_NONE, &local))
    {
      /* An empty file, or one of comments, is no error for us. */
      if (g_error_matches (local, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_PARSE) && size == 0)
        return TRUE;
      return dn_throw (error, DN_ERROR_CONFIG, "file '%s': %s", what, local->message);
    }
  if (!refuse_doubles (copy, what, error))
    return FALSE;
  groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i] != NULL; i++)
    if (!read_group (file, groups[i], what, keys, error))
      return FALSE;
  return TRUE;
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
