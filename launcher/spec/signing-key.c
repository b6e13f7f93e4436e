/* SPDX-License-Identifier: Apache-2.0 */
#include "signing-key.h"

#include <string.h>

#include "../common/names.h"

const char *const dn_signing_kind_words[] = { "GPG", "minisign", NULL };

static const struct
{
  const char *ending;
  DnSigningKind kind;
} endings[] = {
  { ".gpg", DN_SIGNING_GPG },
  { ".asc", DN_SIGNING_GPG },
  { ".pgp", DN_SIGNING_GPG },
  { ".pub", DN_SIGNING_MINISIGN },
};

gboolean
dn_signing_key_kind (const char *path, DnSigningKind *ret_kind)
{
  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (path, endings[i].ending))
      {
        *ret_kind = endings[i].kind;
        return TRUE;
      }
  return FALSE;
}

char *
dn_signing_key_name (const char *path)
{
  char *name = g_path_get_basename (path), *dot = strrchr (name, '.');

  if (dot != NULL && dot != name)
    *dot = '\0';
  return name;
}

gboolean
dn_signing_key_is_one_of (const char *path, char **wanted)
{
  g_autofree char *name = dn_signing_key_name (path);

  for (; *wanted != NULL; wanted++)
    if (g_str_equal (*wanted, *wanted[0] == '/' ? path : name))
      return TRUE;
  return FALSE;
}

gboolean
dn_signing_keys_check (char **paths, const char *what, const DnKeyPlaces *places, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  DnSigningKind kind;

  if (g_strv_length (paths) > DN_SIGNING_KEYS_MAX)
    return dn_key_file_throw (error, what, places, "images", "load_keys",
                              "more than %d keys; one file can hold several of GPG's",
                              DN_SIGNING_KEYS_MAX);
  for (; *paths != NULL; paths++)
    {
      g_autofree char *name = dn_signing_key_name (*paths);

      if (*paths[0] != '/')
        return dn_key_file_throw (error, what, places, "images", "load_keys",
                                  "'%s' is not an absolute path", *paths);
      if (!dn_signing_key_kind (*paths, &kind))
        return dn_key_file_throw (error, what, places, "images", "load_keys",
                                  "'%s' ends neither with .gpg, .asc or .pgp (GPG) nor with .pub "
                                  "(minisign)",
                                  *paths);
      if (!dn_name_is_valid (name) || g_str_equal (name, "optional")
          || g_str_equal (name, "required"))
        return dn_key_file_throw (error, what, places, "images", "load_keys",
                                  "'%s': '%s' cannot be a key's name", *paths, name);
      if (!g_hash_table_add (names, g_strdup (name)))
        return dn_key_file_throw (error, what, places, "images", "load_keys",
                                  "two keys are called '%s'", name);
    }
  return TRUE;
}
