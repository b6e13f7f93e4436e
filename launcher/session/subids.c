/* SPDX-License-Identifier: Apache-2.0 */
#include "subids.h"

#include <string.h>

#include "../common/error.h"

/* "NAME:FIRST:COUNT".  Returns: whether the line is one, of this user */
static gboolean
read_line (const char *line, const char *user, guint uid, DnSubids *ret_ids)
{
  g_auto (GStrv) words = g_strsplit (line, ":", 4);
  guint64 number, first, count;

  if (g_strv_length (words) != 3
      || (g_strcmp0 (words[0], user) != 0
          && !(g_ascii_string_to_unsigned (words[0], 10, 0, G_MAXUINT32, &number, NULL)
               && number == uid))
      || !g_ascii_string_to_unsigned (words[1], 10, 1, G_MAXUINT32 - 1, &first, NULL)
      || !g_ascii_string_to_unsigned (words[2], 10, 1, G_MAXUINT32 - 1, &count, NULL)
      || first + count > G_MAXUINT32)
    return FALSE;
  *ret_ids = (DnSubids){ .first = (guint) first, .count = (guint) count };
  return TRUE;
}

gboolean
dn_subids_parse (const char *text, const char *path, const char *user, guint uid, DnSubids *ret_ids,
                 GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  DnSubids best = { 0, 0 }, ids;

  for (char **line = lines; *line != NULL; line++)
    if (read_line (*line, user, uid, &ids) && ids.count > best.count)
      best = ids;
  if (best.count < DN_SUBIDS_LEAST)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "session mode: '%s' gives user '%s' no range of %d subordinate ids\n"
                     "as root: usermod --add-subuids 524288-589823 --add-subgids 524288-589823 %s",
                     path, user, DN_SUBIDS_LEAST, user);
  *ret_ids = best;
  return TRUE;
}

char **
dn_subids_map_words (const char *program, gint pid, guint id, const DnSubids *ids)
{
  GPtrArray *words = g_ptr_array_new ();
  guint rest = MIN (ids->count - DN_SUBIDS_OWN_COUNT, DN_SUBIDS_OWN_FIRST - 1);
  const guint numbers[] = { 0,          id,
                            1,          DN_SUBIDS_OWN_FIRST,
                            ids->first, DN_SUBIDS_OWN_COUNT,
                            1,          ids->first + DN_SUBIDS_OWN_COUNT,
                            rest };

  g_ptr_array_add (words, g_strdup (program));
  g_ptr_array_add (words, g_strdup_printf ("%d", pid));
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    g_ptr_array_add (words, g_strdup_printf ("%u", numbers[i]));
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}
