/* SPDX-License-Identifier: Apache-2.0 */
#include "store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "../common/state-file.h"
#include "../daemon/tree.h"
#include "reference.h"

/* Its layers, as they were written down with it, are those that are there. */
static gboolean
check_layers (DnStore *store, const DnImage *image, GError **error)
{
  for (guint i = 0; i < image->layers->len; i++)
    {
      const DnLayer *layer = image->layers->pdata[i];
      const DnLayer *found = g_hash_table_lookup (store->layers, layer->key);

      if (found == NULL || !dn_layer_equal (found, layer))
        return dn_throw (error, DN_ERROR_FAILED, "its layer '%.12s' is %s", layer->key,
                         found == NULL ? "missing" : "another one");
    }
  return TRUE;
}

static void
read_image (DnStore *store, const char *id)
{
  g_autofree char *path = g_build_filename (store->images_path, id, "image.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = dn_state_file_read (path, &error);
  g_autoptr (DnImage) image = NULL;

  if (node != NULL)
    image = dn_image_from_json (json_node_get_object (node), path, &error);
  if (image == NULL || !g_str_equal (image->id, id) || !check_layers (store, image, &error))
    {
      g_warning ("store: image '%s' is left out: %s; remove '%s/%s' and load it again", id,
                 error != NULL ? error->message : "its file is another image's", store->images_path,
                 id);
      return;
    }
  g_hash_table_insert (store->images, g_strdup (id), g_steal_pointer (&image));
}

static gboolean
make_directories (DnStore *store, GError **error)
{
  g_autofree char *top = g_build_filename (dn_paths ()->state, "store", NULL);
  g_autofree char *blobs = g_build_filename (top, "blobs", NULL);

  store->blobs_path = g_build_filename (blobs, "sha256", NULL);
  store->images_path = g_build_filename (top, "images", NULL);
  store->layers_path = g_build_filename (top, "layers", NULL);
  store->staging_path = g_build_filename (top, "staging", NULL);
  store->fetch_path = g_build_filename (top, "fetch", NULL);
  return dn_tree_make (top, 0711, error) && dn_tree_make (blobs, 0711, error)
         && dn_tree_make (store->blobs_path, 0711, error)
         && dn_tree_make (store->images_path, 0711, error)
         && dn_tree_make (store->layers_path, 0711, error)
         && dn_tree_make (store->staging_path, 0711, error)
         && dn_tree_make (store->fetch_path, 0711, error);
}

DnStore *
dn_store_open (GError **error)
{
  DnStore *store = g_new0 (DnStore, 1);
  g_autoptr (GDir) directory = NULL;
  const char *name;

  g_mutex_init (&store->lock);
  g_cond_init (&store->changed);
  store->holds = g_hash_table_new (NULL, NULL);
  store->images
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) dn_image_unref);
  store->layers
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) dn_layer_unref);
  store->staging = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!make_directories (store, error))
    {
      dn_store_free (store);
      return NULL;
    }
  dn_store_read_layers (store);
  directory = g_dir_open (store->images_path, 0, NULL);
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (dn_id_is_hex (name, DN_DIGEST_DIGITS))
      read_image (store, name);
  return store;
}

void
dn_store_free (DnStore *store)
{
  if (store == NULL)
    return;
  g_hash_table_unref (store->images);
  g_hash_table_unref (store->layers);
  g_hash_table_unref (store->staging);
  g_hash_table_unref (store->holds);
  g_free (store->images_path);
  g_free (store->blobs_path);
  g_free (store->layers_path);
  g_free (store->staging_path);
  g_free (store->fetch_path);
  g_mutex_clear (&store->lock);
  g_cond_clear (&store->changed);
  g_free (store);
}

/* Under the lock.  Which images @text may mean; borrowed. */
static GPtrArray *
match (DnStore *store, const char *text, const DnImageView *view)
{
  g_autoptr (GPtrArray) by_id = g_ptr_array_new ();
  g_autofree char *name = dn_reference_normalise (text, NULL);
  const char *digits = g_str_has_prefix (text, "sha256:") ? text + strlen ("sha256:") : text;
  GHashTableIter iter;
  DnImage *image;

  g_hash_table_iter_init (&iter, store->images);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &image))
    {
      if (!dn_image_view_sees (view, image))
        continue;
      /* A name wins over the beginning of some id that reads the same. */
      if (name != NULL && dn_image_view_sees_name (view, name)
          && g_strv_contains ((const char *const *) image->names, name))
        {
          g_ptr_array_set_size (by_id, 0);
          g_ptr_array_add (by_id, image);
          break;
        }
      if (dn_id_is_prefix (digits) && g_str_has_prefix (image->id, digits))
        g_ptr_array_add (by_id, image);
    }
  return g_steal_pointer (&by_id);
}

DnImage *
dn_store_find (DnStore *store, const char *text, const DnImageView *view, GError **error)
{
  g_autoptr (GPtrArray) images = NULL;
  g_autofree char *shown = dn_text_clean (text, DN_REFERENCE_MAX_BYTES);
  DnImage *image = NULL;

  g_mutex_lock (&store->lock);
  images = match (store, text, view);
  if (images->len == 1)
    image = dn_image_ref (images->pdata[0]);
  g_mutex_unlock (&store->lock);
  if (image == NULL && images->len == 0)
    dn_throw (error, DN_ERROR_NOT_FOUND,
              "image '%s': not in the store, and nothing is fetched unasked\n"
              "danchi images lists what is there; danchi pull, load, or run --pull=missing fetch",
              shown);
  else if (image == NULL)
    dn_throw (error, DN_ERROR_CONFLICT, "image '%s': %u images begin so\ngive more of the id",
              shown, images->len);
  return image;
}

DnImage *
dn_store_find_id (DnStore *store, const char *id)
{
  DnImage *image;

  g_mutex_lock (&store->lock);
  image = g_hash_table_lookup (store->images, id);
  if (image != NULL)
    dn_image_ref (image);
  g_mutex_unlock (&store->lock);
  return image;
}

DnImageSource *
dn_store_image_source (const DnImage *image, const char *archive, const char *reference)
{
  for (guint i = 0; i < image->sources->len; i++)
    {
      DnImageSource *source = image->sources->pdata[i];

      if (g_str_equal (source->archive, archive)
          && (reference == NULL || g_str_equal (source->reference, reference)))
        return source;
    }
  return NULL;
}

DnImage *
dn_store_find_source (DnStore *store, const char *archive, const char *reference)
{
  GHashTableIter iter;
  DnImage *image, *found = NULL;

  g_mutex_lock (&store->lock);
  g_hash_table_iter_init (&iter, store->images);
  while (found == NULL && g_hash_table_iter_next (&iter, NULL, (gpointer *) &image))
    if (dn_store_image_source (image, archive, reference) != NULL)
      found = dn_image_ref (image);
  g_mutex_unlock (&store->lock);
  return found;
}

static int
compare_age (gconstpointer a, gconstpointer b)
{
  const DnImage *first = *(DnImage *const *) a, *second = *(DnImage *const *) b;

  return (first->loaded_us < second->loaded_us) - (first->loaded_us > second->loaded_us);
}

GPtrArray *
dn_store_list (DnStore *store)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_image_unref);
  GHashTableIter iter;
  DnImage *image;

  g_mutex_lock (&store->lock);
  g_hash_table_iter_init (&iter, store->images);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &image))
    g_ptr_array_add (list, dn_image_ref (image));
  g_mutex_unlock (&store->lock);
  g_ptr_array_sort (list, compare_age);
  return list;
}

char *
dn_store_blob_path (DnStore *store, const char *sha256)
{
  return g_build_filename (store->blobs_path, sha256, NULL);
}

gboolean
dn_store_has_blob (DnStore *store, const char *sha256)
{
  g_autofree char *path = dn_store_blob_path (store, sha256);

  return access (path, F_OK) == 0;
}

int
dn_store_open_blob (DnStore *store, const char *sha256, guint64 *ret_bytes, GError **error)
{
  g_autofree char *path = dn_store_blob_path (store, sha256);
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat status;

  if (fd < 0 && errno == ENOENT)
    dn_throw (error, DN_ERROR_NOT_FOUND, "blob '%.12s': not in the store", sha256);
  else if (fd < 0 || fstat (fd, &status) < 0)
    dn_throw_errno (error, "file '%s'", path);
  else
    {
      *ret_bytes = (guint64) status.st_size;
      return g_steal_fd (&fd);
    }
  return -1;
}

char *
dn_store_fetch_path (DnStore *store)
{
  return g_strdup (store->fetch_path);
}
