/* SPDX-License-Identifier: Apache-2.0 */
/* Where the keys of a configuration file stand, and errors that say so. */
#include "key-places.h"
#include "error.h"
#include "key-file.h"

struct DnKeyPlaces
{
  GHashTable *lines; /* "GROUP\nKEY" → line */
};

static char *
name_of (const char *group, const char *key)
{
  return g_strdup_printf ("%s\n%s", group, key);
}

DnKeyPlaces *
dn_key_places_new (void)
{
  DnKeyPlaces *places = g_new0 (DnKeyPlaces, 1);

  places->lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return places;
}

DnKeyPlaces *
dn_key_places_copy (const DnKeyPlaces *places)
{
  DnKeyPlaces *copy;
  GHashTableIter iter;
  gpointer name, line;

  if (places == NULL)
    return NULL;
  copy = dn_key_places_new ();
  g_hash_table_iter_init (&iter, places->lines);
  while (g_hash_table_iter_next (&iter, &name, &line))
    g_hash_table_insert (copy->lines, g_strdup (name), line);
  return copy;
}

void
dn_key_places_free (DnKeyPlaces *places)
{
  if (places == NULL)
    return;
  g_hash_table_unref (places->lines);
  g_free (places);
}

guint
dn_key_places_find (const DnKeyPlaces *places, const char *group, const char *key)
{
  g_autofree char *name = name_of (group, key);

  return places == NULL ? 0 : GPOINTER_TO_UINT (g_hash_table_lookup (places->lines, name));
}

void
dn_key_places_add (DnKeyPlaces *places, const char *group, const char *key, guint line)
{
  g_hash_table_insert (places->lines, name_of (group, key), GUINT_TO_POINTER (line));
}

gboolean
dn_key_file_throw (GError **error, const char *what, const DnKeyPlaces *places, const char *group,
                   const char *key, const char *format, ...)
{
  guint line = dn_key_places_find (places, group, key);
  g_autofree char *number = line != 0 ? g_strdup_printf (":%u", line) : g_strdup ("");
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  return dn_throw (error, DN_ERROR_CONFIG, "file '%s%s': [%s] %s: %s", what, number, group, key,
                   message);
}
