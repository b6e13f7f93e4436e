/* SPDX-License-Identifier: Apache-2.0 */
/* How images come and go. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../common/error.h"
#include "../common/names.h"
#include "../common/state-file.h"
#include "../daemon/tree.h"
#include "store-private.h"

char *
dn_store_begin_staging (DnStore *store, GError **error)
{
  char id[DN_ID_BYTES + 1];
  g_autofree char *path = NULL;

  dn_id_new (id);
  path = g_build_filename (store->staging_path, id, NULL);
  g_mutex_lock (&store->lock);
  g_hash_table_add (store->staging, g_strdup (path));
  g_mutex_unlock (&store->lock);
  if (dn_tree_make (path, 0711, error))
    return g_steal_pointer (&path);
  dn_store_end_staging (store, g_steal_pointer (&path));
  return NULL;
}

void
dn_store_end_staging (DnStore *store, char *path)
{
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return;
  if (!dn_tree_remove (path, &error))
    g_warning ("store: %s", error->message);
  g_mutex_lock (&store->lock);
  g_hash_table_remove (store->staging, path);
  g_mutex_unlock (&store->lock);
  g_free (path);
}

gboolean
dn_store_write_image (const char *directory, DnImage *image, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "image.json", NULL);
  g_autoptr (JsonNode) node = dn_image_to_json (image);

  return dn_state_file_write (path, node, error);
}

/* Under the lock: the rename that makes an image exist, or the finding that it does already. */
static gboolean
publish (DnStore *store, DnImage *image, const char *from, GError **error)
{
  DnImage *old = g_hash_table_lookup (store->images, image->id);
  g_autofree char *to = g_build_filename (store->images_path, image->id, NULL);

  if (old != NULL && g_str_equal (old->rootfs_sha256, image->rootfs_sha256))
    return TRUE;
  if (old != NULL)
    return dn_throw (
        error, DN_ERROR_CONFLICT,
        "image '%.12s': the archive claims this id, but its files differ from those of "
        "the image in the store\nif the archive is the one to trust, remove the image "
        "first",
        image->id);
  if (rename (from, to) < 0)
    return dn_throw_errno (error, "image '%.12s': moving into the store", image->id);
  g_hash_table_insert (store->images, g_strdup (image->id), dn_image_ref (image));
  return TRUE;
}

gboolean
dn_store_add (DnStore *store, DnImage *image, const char *staging, const char *archive,
              GError **error)
{
  g_autofree char *staged = g_build_filename (staging, DN_STORE_ARCHIVE, NULL);
  g_autofree char *blob = dn_store_blob_path (store, archive);
  g_autofree char *directory = g_build_filename (staging, "image", NULL);
  g_autofree char *rootfs = g_build_filename (staging, DN_STORE_ROOTFS, NULL);
  g_autofree char *inside = g_build_filename (directory, DN_STORE_ROOTFS, NULL);
  gboolean is_fine;

  if (!dn_tree_make (directory, 0711, error))
    return FALSE;
  if (rename (rootfs, inside) < 0)
    return dn_throw_errno (error, "file '%s': moving", rootfs);
  if (!dn_store_write_image (directory, image, error))
    return FALSE;
  g_mutex_lock (&store->lock);
  if (rename (staged, blob) < 0)
    is_fine = dn_throw_errno (error, "file '%s': moving", staged);
  else
    is_fine = publish (store, image, directory, error);
  g_mutex_unlock (&store->lock);
  return is_fine && dn_state_file_sync_directory (store->blobs_path, error)
         && dn_state_file_sync_directory (store->images_path, error);
}

/* Removes an archive that no image came from.  Looking and removing are one step under the lock, or
 * an archive could go that an image has just come from. */
static void
remove_orphaned_blob (DnStore *store, const char *sha256, GPtrArray *removed)
{
  g_autofree char *path = dn_store_blob_path (store, sha256);
  GHashTableIter iter;
  DnImage *image;
  gboolean is_used = FALSE;

  g_mutex_lock (&store->lock);
  g_hash_table_iter_init (&iter, store->images);
  while (!is_used && g_hash_table_iter_next (&iter, NULL, (gpointer *) &image))
    is_used = dn_store_image_source (image, sha256, NULL) != NULL;
  if (!is_used && unlink (path) == 0)
    g_ptr_array_add (removed, g_strdup_printf ("archive %s", sha256));
  g_mutex_unlock (&store->lock);
}

DnImage *
dn_store_withdraw (DnStore *store, const char *id, const char *staging, GError **error)
{
  g_autofree char *from = g_build_filename (store->images_path, id, NULL);
  g_autofree char *to = g_build_filename (staging, "image", NULL);
  DnImage *image;

  g_mutex_lock (&store->lock);
  image = g_hash_table_lookup (store->images, id);
  if (image == NULL)
    dn_throw (error, DN_ERROR_NOT_FOUND, "image '%.12s': was removed meanwhile", id);
  else if (rename (from, to) < 0)
    {
      dn_throw_errno (error, "image '%.12s': removing", id);
      image = NULL;
    }
  else
    {
      dn_image_ref (image);
      g_hash_table_remove (store->images, id);
    }
  g_mutex_unlock (&store->lock);
  return image;
}

void
dn_store_discard (DnStore *store, DnImage *image, char *staging, GPtrArray *removed)
{
  dn_store_end_staging (store, staging);
  g_ptr_array_add (removed, g_strdup_printf ("image %s", image->id));
  for (guint i = 0; i < image->sources->len; i++)
    {
      const DnImageSource *source = image->sources->pdata[i];

      remove_orphaned_blob (store, source->archive, removed);
    }
}

static void
sweep_staging (DnStore *store, GPtrArray *removed)
{
  g_autoptr (GDir) directory = g_dir_open (store->staging_path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename (store->staging_path, name, NULL);
      gboolean is_under_way;

      g_mutex_lock (&store->lock);
      is_under_way = g_hash_table_contains (store->staging, path);
      g_mutex_unlock (&store->lock);
      if (!is_under_way && dn_tree_remove (path, NULL))
        g_ptr_array_add (removed, g_strdup_printf ("staging directory %s", name));
    }
}

void
dn_store_sweep (DnStore *store, GPtrArray *removed)
{
  g_autoptr (GDir) directory = g_dir_open (store->blobs_path, 0, NULL);
  const char *name;

  sweep_staging (store, removed);
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (dn_id_is_hex (name, DN_DIGEST_DIGITS))
      remove_orphaned_blob (store, name, removed);
}
