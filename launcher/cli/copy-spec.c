/* SPDX-License-Identifier: Apache-2.0 */
#include "copy-spec.h"

#include <string.h>

#include "../../protocol/protocol.h"
#include "../common/error.h"

/* "a/b/." and "a/b/./" are contents; "a/b/" must be a directory; the path itself is "a/b". */
static void
trim_path (DnCopySpec *spec)
{
  gsize size = strlen (spec->path);

  for (;;)
    {
      if (size >= 2 && spec->path[size - 1] == '.' && spec->path[size - 2] == '/')
        {
          spec->is_contents = TRUE;
          size -= size > 2 ? 2 : 1;
        }
      else if (size > 1 && spec->path[size - 1] == '/')
        {
          spec->must_be_directory = TRUE;
          size--;
        }
      else
        break;
    }
  if (size == 1 && *spec->path == '.')
    spec->is_contents = TRUE;
  spec->path[size] = '\0';
}

gboolean
dn_copy_spec_parse (const char *word, DnCopySpec *ret_spec, GError **error)
{
  const char *colon = *word != '/' && *word != '.' ? strchr (word, ':') : NULL;
  const char *slash = strchr (word, '/');
  DnCopySpec spec = { 0 };

  if (colon != NULL && slash != NULL && slash < colon)
    colon = NULL;
  if (colon == word)
    return dn_throw (error, DN_ERROR_USAGE, "'%s': the container's name is missing", word);
  if (*word == '\0' || (colon != NULL && colon[1] == '\0'))
    return dn_throw (error, DN_ERROR_USAGE, "'%s': the path is missing", word);
  if (colon != NULL && (strlen (colon + 1) > DN_PATH_BYTES || !g_utf8_validate (word, -1, NULL)))
    return dn_throw (error, DN_ERROR_USAGE,
                     "'%s': a path in a container is UTF-8 of at most %d bytes", word,
                     DN_PATH_BYTES);
  spec.container = colon != NULL ? g_strndup (word, (gsize) (colon - word)) : NULL;
  /* A relative path in a container starts at its root, as with docker. */
  spec.path = colon == NULL     ? g_strdup (word)
              : colon[1] == '/' ? g_strdup (colon + 1)
                                : g_strconcat ("/", colon + 1, NULL);
  trim_path (&spec);
  *ret_spec = spec;
  return TRUE;
}

void
dn_copy_spec_clear (DnCopySpec *spec)
{
  g_clear_pointer (&spec->container, g_free);
  g_clear_pointer (&spec->path, g_free);
}
