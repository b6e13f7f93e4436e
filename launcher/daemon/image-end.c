/* SPDX-License-Identifier: Apache-2.0 */
#include "image-end.h"

#include "../common/error.h"
#include "../images/reference.h"
#include "../images/store.h"
#include "container-end.h"
#include "container.h"
#include "context-guest.h"
#include "settings-file.h"

/* Containers of an image, and among them one that runs. */
static GPtrArray *
users_of (DnDaemon *daemon, const char *image_id, DnContainer **ret_running)
{
  g_autoptr (GPtrArray) all = dn_container_list (daemon);
  GPtrArray *users = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_container_unref);

  *ret_running = NULL;
  for (guint i = 0; i < all->len; i++)
    {
      DnContainer *container = all->pdata[i];

      if (!g_str_equal (container->image_id, image_id))
        continue;
      g_ptr_array_add (users, dn_container_ref (container));
      g_mutex_lock (&daemon->lock);
      if (container->is_starting || container->state == DN_CONTAINER_RUNNING
          || container->state == DN_CONTAINER_PAUSED)
        *ret_running = container;
      g_mutex_unlock (&daemon->lock);
    }
  return users;
}

static gboolean
remove_users (DnDaemon *daemon, const DnImage *image, gboolean force, GPtrArray *removed,
              GError **error)
{
  DnContainer *running;
  g_autoptr (GPtrArray) users = users_of (daemon, image->id, &running);

  if (running != NULL)
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "image '%.12s': container '%s' runs from it\nstop and remove that first",
                     image->id, running->name);
  if (users->len > 0 && !force)
    return dn_throw (
        error, DN_ERROR_CONFLICT,
        "image '%.12s': container '%s' uses it\nremove that first, or use -f to remove "
        "stopped containers with the image",
        image->id, ((DnContainer *) users->pdata[0])->name);
  for (guint i = 0; i < users->len; i++)
    {
      DnContainer *container = users->pdata[i];
      gboolean is_idle;

      g_mutex_lock (&container->op_lock);
      g_mutex_lock (&daemon->lock);
      is_idle = !container->is_removed
                && (container->state == DN_CONTAINER_CREATED
                    || container->state == DN_CONTAINER_EXITED);
      g_mutex_unlock (&daemon->lock);
      if (is_idle)
        {
          dn_container_leave_guest (container);
          g_ptr_array_add (removed, g_strdup_printf ("container %s", container->name));
          dn_container_forget (container);
        }
      g_mutex_unlock (&container->op_lock);
    }
  return TRUE;
}

/* Under the daemon's lock. */
static gboolean
is_used (DnDaemon *daemon, const char *image_id)
{
  GHashTableIter iter;
  DnContainer *container;

  g_hash_table_iter_init (&iter, daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (g_str_equal (container->image_id, image_id))
      return TRUE;
  return FALSE;
}

static gboolean
remove_image (DnDaemon *daemon, const DnImage *image, GPtrArray *removed, GError **error)
{
  char *staging = dn_store_begin_staging (daemon->store, error);
  g_autoptr (DnImage) withdrawn = NULL;

  if (staging == NULL)
    return FALSE;
  dn_context_detach_everywhere (daemon, image->id);
  g_mutex_lock (&daemon->lock);
  if (is_used (daemon, image->id))
    dn_throw (error, DN_ERROR_CONFLICT, "image '%.12s': a container uses it since just now",
              image->id);
  else
    withdrawn = dn_store_withdraw (daemon->store, image->id, staging, error);
  g_mutex_unlock (&daemon->lock);
  if (withdrawn == NULL)
    {
      dn_store_end_staging (daemon->store, staging);
      return FALSE;
    }
  dn_store_discard (daemon->store, withdrawn, staging, removed);
  dn_events_add (daemon->events, "image", "remove", image->id,
                 image->names[0] != NULL ? image->names[0] : image->id, NULL, NULL);
  return TRUE;
}

gboolean
dn_image_end (DnDaemon *daemon, const DnImage *image, gboolean force, GPtrArray *removed,
              GError **error)
{
  return remove_users (daemon, image, force, removed, error)
         && remove_image (daemon, image, removed, error);
}

/* The image that scans others, by danchi.conf: it needs no container to be of use. */
static gboolean
is_scanner (DnDaemon *daemon, const DnImage *image)
{
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  char **names = settings->scan.images;
  g_autofree char *name
      = names != NULL && names[0] != NULL ? dn_reference_normalise (names[0], NULL) : NULL;

  return name != NULL && g_strv_contains ((const char *const *) image->names, name);
}

static gboolean
is_wished (DnDaemon *daemon, const DnPruneWishes *wishes, const DnImage *image)
{
  gboolean is_free;

  if ((!wishes->wants_all && image->names[0] != NULL)
      || (wishes->until_us > 0 && image->loaded_us >= wishes->until_us)
      || is_scanner (daemon, image))
    return FALSE;
  g_mutex_lock (&daemon->lock);
  is_free = !is_used (daemon, image->id);
  g_mutex_unlock (&daemon->lock);
  return is_free;
}

/* The files of one image, by what they are called in the store. */
static void
add_files (const DnImage *image, GHashTable *files)
{
  for (guint i = 0; i < image->layers->len; i++)
    {
      const DnLayer *layer = image->layers->pdata[i];

      g_hash_table_insert (files, g_strconcat ("layer ", layer->key, NULL),
                           GSIZE_TO_POINTER (dn_layer_file_bytes (layer)));
      g_hash_table_insert (files, g_strconcat ("blob ", layer->blob, NULL),
                           GSIZE_TO_POINTER ((gsize) layer->blob_bytes));
    }
}

/* What @pruned had and none of @others has. */
static guint64
sum_freed (const GPtrArray *pruned, const GPtrArray *others)
{
  g_autoptr (GHashTable) freed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name, bytes;
  guint64 sum = 0;

  for (guint i = 0; i < pruned->len; i++)
    add_files (pruned->pdata[i], freed);
  for (guint i = 0; i < others->len; i++)
    add_files (others->pdata[i], kept);
  g_hash_table_iter_init (&iter, freed);
  while (g_hash_table_iter_next (&iter, &name, &bytes))
    if (!g_hash_table_contains (kept, name))
      sum += GPOINTER_TO_SIZE (bytes);
  return sum;
}

/* Returns: whether @image is gone, or would be; FALSE without @error where a container has it. */
static gboolean
prune_one (DnDaemon *daemon, const DnPruneWishes *wishes, const DnImage *image, GError **error)
{
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) local = NULL;

  if (wishes->is_dry_run || remove_image (daemon, image, removed, &local))
    return TRUE;
  if (!g_error_matches (local, DN_ERROR, DN_ERROR_CONFLICT)
      && !g_error_matches (local, DN_ERROR, DN_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

gboolean
dn_image_end_unused (DnDaemon *daemon, const DnPruneWishes *wishes, DnPruned *ret_pruned,
                     GError **error)
{
  g_autoptr (GPtrArray) all = dn_store_list (daemon->store);
  g_autoptr (GPtrArray) others = g_ptr_array_new ();
  GError *local = NULL;

  ret_pruned->images = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_image_unref);
  for (guint i = 0; i < all->len; i++)
    if (local == NULL && is_wished (daemon, wishes, all->pdata[i])
        && prune_one (daemon, wishes, all->pdata[i], &local))
      g_ptr_array_add (ret_pruned->images, dn_image_ref (all->pdata[i]));
    else
      g_ptr_array_add (others, all->pdata[i]);
  ret_pruned->reclaimed_bytes = sum_freed (ret_pruned->images, others);
  if (local != NULL)
    g_propagate_error (error, local);
  return local == NULL;
}

void
dn_pruned_clear (DnPruned *pruned)
{
  g_clear_pointer (&pruned->images, g_ptr_array_unref);
}
