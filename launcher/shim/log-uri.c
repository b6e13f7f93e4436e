/* SPDX-License-Identifier: Apache-2.0 */
#include "log-uri.h"

#include <string.h>

#include "../common/error.h"

static const struct
{
  const char *scheme;
  DnLogKind kind;
} schemes[] = {
  { "fifo", DN_LOG_PATH },
  { "file", DN_LOG_FILE },
  { "binary", DN_LOG_BINARY },
};

void
dn_log_uri_clear (DnLogUri *uri)
{
  g_clear_pointer (&uri->path, g_free);
  g_clear_pointer (&uri->arguments, g_strfreev);
}

/* key=value&key=value as words, in their order. */
static char **
split_query (const char *query)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) pairs = g_strsplit (query != NULL ? query : "", "&", -1);

  for (gsize i = 0; pairs[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);

      for (gsize j = 0; pair[0] != NULL && j < 2 && pair[j] != NULL; j++)
        {
          char *word;

          g_strdelimit (pair[j], "+", ' ');
          word = g_uri_unescape_string (pair[j], NULL);
          if (word != NULL && (j > 0 || *word != '\0'))
            g_ptr_array_add (words, word);
          else
            g_free (word);
        }
    }
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

gboolean
dn_log_uri_read (const char *text, DnLogUri *ret_uri, GError **error)
{
  g_autofree char *scheme = g_uri_parse_scheme (text);
  g_autofree char *path = NULL;
  const char *rest, *query;

  *ret_uri = (DnLogUri){ 0 };
  if (*text == '\0')
    return TRUE;
  if (scheme == NULL && g_path_is_absolute (text))
    {
      *ret_uri = (DnLogUri){ .kind = DN_LOG_PATH, .path = g_strdup (text) };
      return TRUE;
    }
  rest = scheme != NULL ? text + strlen (scheme) : text;
  if (!g_str_has_prefix (rest, "://"))
    return dn_throw (error, DN_ERROR_USAGE, "stream '%s': neither an absolute path nor a URI",
                     text);
  rest += strlen ("://");
  query = strchr (rest, '?');
  path = query != NULL ? g_uri_unescape_segment (rest, query, NULL)
                       : g_uri_unescape_string (rest, NULL);
  if (path == NULL || !g_path_is_absolute (path))
    return dn_throw (error, DN_ERROR_USAGE, "stream '%s': its path is not absolute", text);
  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_str_equal (scheme, schemes[i].scheme))
      {
        ret_uri->kind = schemes[i].kind;
        ret_uri->path = g_steal_pointer (&path);
        if (ret_uri->kind == DN_LOG_BINARY)
          ret_uri->arguments = split_query (query != NULL ? query + 1 : NULL);
        return TRUE;
      }
  return dn_throw (error, DN_ERROR_USAGE,
                   "stream '%s': scheme '%s' is unknown\nfifo, file and binary are known", text,
                   scheme);
}
