/* SPDX-License-Identifier: Apache-2.0 */
#include "forensics-directory.h"

#include "../common/names.h"
#include "../common/paths.h"
#include "tree.h"

static GMutex lock;
static GHashTable *in_use; /* path → itself, owned; under lock */

static char *
top_path (void)
{
  return g_build_filename (dn_paths ()->state, "forensics", NULL);
}

char *
dn_forensics_directory_begin (GError **error)
{
  g_autofree char *top = top_path ();
  g_autofree char *path = NULL;
  char id[DN_ID_BYTES + 1];
  gboolean is_made;

  dn_id_new (id);
  path = g_build_filename (top, id, NULL);
  g_mutex_lock (&lock);
  if (in_use == NULL)
    in_use = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  is_made = dn_tree_make (top, 0700, error) && dn_tree_make (path, 0700, error);
  if (is_made)
    g_hash_table_add (in_use, g_strdup (path));
  g_mutex_unlock (&lock);
  return is_made ? g_steal_pointer (&path) : NULL;
}

void
dn_forensics_directory_end (const char *path)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&lock);
  if (!dn_tree_remove (path, &error))
    g_warning ("forensics: %s", error->message);
  (void) g_hash_table_remove (in_use, path);
  g_mutex_unlock (&lock);
}

void
dn_forensics_directory_sweep (GPtrArray *removed)
{
  g_autofree char *top = top_path ();
  g_autoptr (GDir) directory = g_dir_open (top, 0, NULL);
  const char *entry;

  g_mutex_lock (&lock);
  while (directory != NULL && (entry = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename (top, entry, NULL);

      if ((in_use == NULL || !g_hash_table_contains (in_use, path)) && dn_tree_remove (path, NULL))
        g_ptr_array_add (removed, g_strdup_printf ("memory dump '%s'", path));
    }
  g_mutex_unlock (&lock);
}
