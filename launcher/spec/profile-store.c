/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-store.h"

#include <string.h>

#include "../common/error.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "profile-file.h"

#define DIRECTORY "profiles"
/* Where an installed Danchi has them; a user's session has what it changes in its own. */
#define SYSTEM "/etc/danchi"
#define SUFFIX ".conf"

static int
compare (gconstpointer one, gconstpointer other)
{
  return strcmp (*(char *const *) one, *(char *const *) other);
}

static void
list_directory (const char *parent, GPtrArray *names)
{
  g_autofree char *path = g_build_filename (parent, DIRECTORY, NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *entry;

  while (directory != NULL && (entry = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *name = NULL;

      if (!g_str_has_suffix (entry, SUFFIX))
        continue;
      name = g_strndup (entry, strlen (entry) - strlen (SUFFIX));
      if (dn_name_is_valid (name)
          && !g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
        g_ptr_array_add (names, g_steal_pointer (&name));
    }
}

char **
dn_profile_list (void)
{
  GPtrArray *names = g_ptr_array_new ();

  list_directory (dn_paths ()->config, names);
  if (dn_paths ()->is_session)
    list_directory (SYSTEM, names);
  list_directory (dn_paths ()->defaults, names);
  g_ptr_array_sort (names, compare);
  g_ptr_array_add (names, NULL);
  return (char **) (void *) g_ptr_array_free (names, FALSE);
}

static gboolean
read_file (const char *name, char **ret_path, char **ret_text, gsize *ret_size, GError **error)
{
  const char *config = dn_paths ()->config;
  const char *const parents[]
      = { config, dn_paths ()->is_session ? SYSTEM : config, dn_paths ()->defaults };
  g_autofree char *file = g_strconcat (name, SUFFIX, NULL), *all = NULL;
  g_auto (GStrv) names = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (parents); i++)
    {
      g_autofree char *path = g_build_filename (parents[i], DIRECTORY, file, NULL);
      g_autoptr (GError) local = NULL;

      if (g_file_get_contents (path, ret_text, ret_size, &local))
        {
          *ret_path = g_steal_pointer (&path);
          return TRUE;
        }
      /* Only a file that is not there falls through: one that cannot be read is an error. */
      if (!g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT)
          && !g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOTDIR))
        return dn_throw (error, DN_ERROR_CONFIG, "profile '%s': %s", name, local->message);
    }
  names = dn_profile_list ();
  all = g_strjoinv (", ", names);
  return dn_throw (error, DN_ERROR_NOT_FOUND, "profile '%s': not in '%s/" DIRECTORY "'\n%s%s", name,
                   dn_paths ()->config, all[0] != '\0' ? "there are " : "install danchi anew", all);
}

DnProfile *
dn_profile_load (const char *name, char **ret_text, GError **error)
{
  g_autoptr (DnProfile) profile = NULL;
  g_autofree char *path = NULL, *text = NULL;
  gsize size;

  if (!dn_name_check (name, "profile", error) || !read_file (name, &path, &text, &size, error))
    return NULL;
  profile = dn_profile_parse (text, size, path, error);
  if (profile == NULL)
    return NULL;
  if (!g_str_equal (profile->name, name))
    {
      dn_throw (error, DN_ERROR_CONFIG, "file '%s': [profile] name: must be the file's, '%s'", path,
                name);
      return NULL;
    }
  if (ret_text != NULL)
    *ret_text = g_steal_pointer (&text);
  return g_steal_pointer (&profile);
}
