/* SPDX-License-Identifier: Apache-2.0 */
#include "short-name.h"

#include <string.h>

#include "../common/error.h"
#include "../common/paths.h"
#include "reference.h"

#define LOCAL "localhost/"
#define DOCKER "docker.io"
#define KEY "unqualified-search-registries"
#define CANDIDATES_MAX 8

char *
dn_containers_directory (void)
{
  g_autofree char *own = g_build_filename (dn_paths ()->config, "containers", NULL);

  return g_file_test (own, G_FILE_TEST_IS_DIR) ? g_steal_pointer (&own)
                                               : g_strdup ("/etc/containers");
}

/* One key of TOML's: KEY = ["a", "b"], also over several lines. */
char **
dn_pull_name_find_registries (const char *conf)
{
  g_auto (GStrv) lines = g_strsplit (conf, "\n", -1);
  g_autoptr (GString) list = g_string_new (NULL);
  GPtrArray *found = g_ptr_array_new ();
  gboolean is_in = FALSE;

  for (char **line = lines; *line != NULL; line++)
    {
      const char *text = g_strstrip (*line);

      if (*text == '#')
        continue;
      if (!is_in && g_str_has_prefix (text, KEY) && (text = strchr (text, '[')) != NULL)
        is_in = TRUE;
      else if (!is_in)
        continue;
      g_string_append (list, text);
      if (strchr (text, ']') != NULL)
        break;
    }
  for (const char *at = strchr (list->str, '"'); at != NULL; at = strchr (at, '"'))
    {
      const char *end = strchr (at + 1, '"');

      if (end == NULL || found->len >= CANDIDATES_MAX)
        break;
      g_ptr_array_add (found, g_strndup (at + 1, (gsize) (end - at - 1)));
      at = end + 1;
    }
  g_ptr_array_add (found, NULL);
  return (char **) g_ptr_array_free (found, FALSE);
}

static void
add_candidate (GPtrArray *candidates, const char *registry, const char *name)
{
  gboolean is_official = g_str_equal (registry, DOCKER) && strchr (name, '/') == NULL;
  char *candidate = g_strconcat (registry, is_official ? "/library/" : "/", name, NULL);

  for (guint i = 0; i < candidates->len; i++)
    if (g_str_equal (candidates->pdata[i], candidate))
      {
        g_free (candidate);
        return;
      }
  g_ptr_array_add (candidates, candidate);
}

static gboolean
refuse_short (const char *name, GError **error)
{
  g_autofree char *directory = dn_containers_directory ();
  g_autofree char *path = g_build_filename (directory, "registries.conf", NULL);
  g_autofree char *conf = NULL, *list = NULL;
  g_auto (GStrv) registries = NULL;
  g_autoptr (GPtrArray) candidates = g_ptr_array_new_with_free_func (g_free);

  (void) g_file_get_contents (path, &conf, NULL, NULL);
  registries = dn_pull_name_find_registries (conf != NULL ? conf : "");
  for (char **registry = registries; *registry != NULL; registry++)
    add_candidate (candidates, *registry, name);
  add_candidate (candidates, DOCKER, name);
  g_ptr_array_add (candidates, NULL);
  list = g_strjoinv (", ", (char **) candidates->pdata);
  return dn_throw (error, DN_ERROR_USAGE,
                   "image '%s': a short name, which several registries may have\n"
                   "name it in full: %s",
                   name, list);
}

char *
dn_pull_name_check (const char *text, GError **error)
{
  g_autofree char *reference = dn_reference_normalise (text, error);
  const char *slash, *colon, *digest;

  if (reference == NULL)
    return NULL;
  if (g_str_has_prefix (reference, LOCAL))
    {
      if (g_str_has_prefix (text, LOCAL))
        dn_throw (error, DN_ERROR_USAGE,
                  "image '%s': names of localhost are of this host\n"
                  "a registry that runs here has a port: localhost:5000/...",
                  text);
      else
        refuse_short (text, error);
      return NULL;
    }
  if (g_str_has_prefix (reference, DOCKER "/")
      && strchr (reference + strlen (DOCKER "/"), '/') == NULL)
    {
      refuse_short (text + strlen (DOCKER "/"), error);
      return NULL;
    }
  slash = strrchr (reference, '/');
  colon = strchr (slash, ':');
  digest = strchr (slash, '@');
  if (digest != NULL && colon < digest)
    {
      dn_throw (error, DN_ERROR_USAGE,
                "image '%s': has a tag and a digest, of which one alone can count\n"
                "leave out the tag",
                text);
      return NULL;
    }
  return g_steal_pointer (&reference);
}
