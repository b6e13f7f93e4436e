/* SPDX-License-Identifier: Apache-2.0 */
#include "env-file.h"

#include <string.h>

#include "../common/error.h"
#include "read-file.h"

gboolean
dn_env_add (GPtrArray *env, const char *word, char **variables, GError **error)
{
  const char *equals = strchr (word, '=');
  gsize name_bytes = equals != NULL ? (gsize) (equals - word) : strlen (word);
  const char *value;

  if (name_bytes == 0)
    return dn_throw (error, DN_ERROR_USAGE, "'%s': the name is empty; write NAME=VALUE", word);
  if (!g_utf8_validate (word, -1, NULL))
    return dn_throw (error, DN_ERROR_USAGE, "'%.*s': the value is not UTF-8", (int) name_bytes,
                     word);
  for (gsize i = 0; i < name_bytes; i++)
    if (g_ascii_isspace (word[i]) || g_ascii_iscntrl (word[i]))
      return dn_throw (error, DN_ERROR_USAGE, "'%.*s': a name has no blanks", (int) name_bytes,
                       word);
  if (equals != NULL)
    {
      g_ptr_array_add (env, g_strdup (word));
      return TRUE;
    }
  value = g_environ_getenv (variables, word);
  if (value != NULL && !g_utf8_validate (value, -1, NULL))
    return dn_throw (error, DN_ERROR_USAGE, "'%s': its value here is not UTF-8", word);
  if (value != NULL)
    g_ptr_array_add (env, g_strconcat (word, "=", value, NULL));
  return TRUE;
}

gboolean
dn_env_add_text (GPtrArray *env, const char *text, char **variables, const char *what,
                 GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i];
      gsize size = strlen (line);

      if (size > 0 && line[size - 1] == '\r')
        lines[i][size - 1] = '\0';
      while (*line == ' ' || *line == '\t')
        line++;
      if (*line == '\0' || *line == '#')
        continue;
      if (!dn_env_add (env, line, variables, error))
        {
          g_prefix_error (error, "%s: line %u: ", what, i + 1);
          return FALSE;
        }
    }
  return TRUE;
}

char **
dn_env_collect (char **files, char **words, GError **error)
{
  g_autoptr (GPtrArray) env = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) variables = g_get_environ ();

  for (; files != NULL && *files != NULL; files++)
    {
      g_autofree char *text = dn_read_file (*files, DN_ENV_FILE_MAX_BYTES, error);

      if (text == NULL || !dn_env_add_text (env, text, variables, *files, error))
        {
          g_prefix_error (error, "--env-file: ");
          return NULL;
        }
    }
  for (; words != NULL && *words != NULL; words++)
    if (!dn_env_add (env, *words, variables, error))
      {
        g_prefix_error (error, "--env: ");
        return NULL;
      }
  g_ptr_array_add (env, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&env), FALSE);
}
