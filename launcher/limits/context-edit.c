/* SPDX-License-Identifier: Apache-2.0 */
#include "context-edit.h"

#include <string.h>

/* The index of the last line of @group that is not blank, or -1: there is no such group. */
static gint
find_end_of_group (char **lines, const char *group)
{
  g_autofree char *header = g_strdup_printf ("[%s]", group);
  gboolean is_inside = FALSE;
  gint last = -1;

  for (gint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *line = g_strstrip (g_strdup (lines[i]));

      if (line[0] == '[')
        is_inside = g_str_equal (line, header);
      /* A comment before the next group belongs to that one more often than not. */
      if (is_inside && line[0] != '\0' && line[0] != '#')
        last = i;
    }
  return last;
}

static char *
join (GPtrArray *lines)
{
  g_ptr_array_add (lines, NULL);
  return g_strjoinv ("\n", (char **) lines->pdata);
}

char *
dn_context_edit (const char *text, const DnKeyPlaces *places, const char *group, const char *key,
                 const char *value)
{
  guint line = dn_key_places_find (places, group, key);
  g_auto (GStrv) old = g_strsplit (text, "\n", -1);
  guint count = g_strv_length (old);
  g_autoptr (GPtrArray) fresh = g_ptr_array_new_with_free_func (g_free);
  gint end = line == 0 ? find_end_of_group (old, group) : -1;

  for (guint i = 0; i < count; i++)
    {
      if (line == i + 1)
        g_ptr_array_add (fresh, g_strdup_printf ("%s = %s", key, value));
      /* What follows the last newline is no line. */
      else if (i + 1 < count || old[i][0] != '\0')
        g_ptr_array_add (fresh, g_strdup (old[i]));
      if (end == (gint) i)
        g_ptr_array_add (fresh, g_strdup_printf ("%s = %s", key, value));
    }
  if (line == 0 && end < 0)
    {
      if (fresh->len > 0)
        g_ptr_array_add (fresh, g_strdup (""));
      g_ptr_array_add (fresh, g_strdup_printf ("[%s]", group));
      g_ptr_array_add (fresh, g_strdup_printf ("%s = %s", key, value));
    }
  g_ptr_array_add (fresh, g_strdup (""));
  return join (fresh);
}
