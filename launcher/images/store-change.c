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
#include "disk.h"
#include "store-private.h"

#define DISK_NAME "disk" DN_GUEST_STACK_SUFFIX

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

  if (old != NULL && dn_image_is_same (old, image))
    return TRUE;
  if (old != NULL)
    return dn_throw (
        error, DN_ERROR_CONFLICT,
        "image '%.12s': the archive claims this id, but its config or files differ from those of "
        "the image in the store\nif the archive is the one to trust, remove the image "
        "first",
        image->id);
  if (rename (from, to) < 0)
    return dn_throw_errno (error, "image '%.12s': moving into the store", image->id);
  g_hash_table_insert (store->images, g_strdup (image->id), dn_image_ref (image));
  return TRUE;
}

gboolean
dn_store_add (DnStoreHold *hold, DnImage *image, const char *staging, GError **error)
{
  DnStore *store = hold->store;
  g_autofree char *directory = g_build_filename (staging, "image", NULL);
  g_autofree char *disk = g_build_filename (directory, DISK_NAME, NULL);
  gboolean is_fine;

  /* All that it is made of is on the disk before it is there itself. */
  if (!dn_tree_make (directory, 0711, error) || !dn_store_write_image (directory, image, error)
      || (image->layers->len > 1 && !dn_disk_write (disk, image->layers, image->layers->len, error))
      || !dn_state_file_sync_directory (store->blobs_path, error)
      || !dn_state_file_sync_directory (store->layers_path, error))
    return FALSE;
  g_mutex_lock (&store->lock);
  is_fine = publish (store, image, directory, error);
  g_mutex_unlock (&store->lock);
  return is_fine && dn_state_file_sync_directory (store->images_path, error);
}

DnGuestDisk *
dn_store_make_disk (DnStore *store, const DnImage *image)
{
  const DnLayer *lowest = image->layers->pdata[0];
  g_autofree char *path = image->layers->len == 1
                              ? dn_store_layer_path (store, lowest->key)
                              : g_build_filename (store->images_path, image->id, DISK_NAME, NULL);
  char serial[DN_DISK_SERIAL_BYTES + 1];

  dn_image_disk_serial (image, serial);
  return dn_guest_disk_new (path, serial, TRUE);
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

static GHashTable *
new_set (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
dn_store_discard (DnStore *store, DnImage *image, char *staging, GPtrArray *removed)
{
  g_autoptr (GHashTable) keys = new_set (), blobs = new_set ();

  dn_store_end_staging (store, staging);
  g_ptr_array_add (removed, g_strdup_printf ("image %s", image->id));
  dn_store_add_parts (image, keys, blobs);
  dn_store_drop (store, keys, blobs, removed);
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

/* The names in @path that could be digests. (transfer full) */
static GHashTable *
list_digests (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  GHashTable *names = new_set ();
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (dn_id_is_hex (name, DN_DIGEST_DIGITS))
      g_hash_table_add (names, g_strdup (name));
  return names;
}

void
dn_store_sweep (DnStore *store, GPtrArray *removed)
{
  g_autoptr (GHashTable) keys = list_digests (store->layers_path);
  g_autoptr (GHashTable) blobs = list_digests (store->blobs_path);

  sweep_staging (store, removed);
  dn_store_drop (store, keys, blobs, removed);
}
