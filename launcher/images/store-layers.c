/* SPDX-License-Identifier: Apache-2.0 */
/* Layers and blobs of the store: who needs them, how they come and go. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../common/error.h"
#include "../common/names.h"
#include "../common/state-file.h"
#include "layer-file.h"
#include "store-private.h"

/* How long a claim of another's is waited for before the caller looks around again. */
#define CLAIM_WAIT_US (200 * 1000)

char *
dn_store_layer_path (DnStore *store, const char *key)
{
  return g_build_filename (store->layers_path, key, DN_LAYER_FILE, NULL);
}

DnLayer *
dn_store_find_layer (DnStore *store, const char *key)
{
  DnLayer *layer;

  g_mutex_lock (&store->lock);
  layer = g_hash_table_lookup (store->layers, key);
  if (layer != NULL)
    dn_layer_ref (layer);
  g_mutex_unlock (&store->lock);
  return layer;
}

static void
read_layer (DnStore *store, const char *key)
{
  g_autofree char *path = g_build_filename (store->layers_path, key, DN_LAYER_FACTS, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = dn_state_file_read (path, &error);
  DnLayer *layer
      = node != NULL ? dn_layer_from_json (json_node_get_object (node), path, &error) : NULL;

  if (layer != NULL && g_str_equal (layer->key, key))
    {
      g_hash_table_insert (store->layers, g_strdup (key), layer);
      return;
    }
  g_warning ("store: layer '%s' is left out: %s", key,
             error != NULL ? error->message : "its file is another layer's");
  dn_layer_unref (layer);
}

void
dn_store_read_layers (DnStore *store)
{
  g_autoptr (GDir) directory = g_dir_open (store->layers_path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (dn_id_is_hex (name, DN_DIGEST_DIGITS))
      read_layer (store, name);
}

void
dn_store_add_parts (const DnImage *image, GHashTable *keys, GHashTable *blobs)
{
  g_hash_table_add (blobs, g_strdup (image->id));
  g_hash_table_add (blobs, g_strdup (image->manifest_sha256));
  for (guint i = 0; i < image->layers->len; i++)
    {
      const DnLayer *layer = image->layers->pdata[i];

      g_hash_table_add (keys, g_strdup (layer->key));
      g_hash_table_add (blobs, g_strdup (layer->blob));
    }
}

static GHashTable *
new_set (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/* Under the lock: what images and imports under way need. */
static void
collect_needed (DnStore *store, GHashTable *keys, GHashTable *blobs)
{
  GHashTableIter iter, inner;
  DnImage *image;
  DnStoreHold *hold;
  DnLayer *layer;
  const char *text;

  g_hash_table_iter_init (&iter, store->images);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &image))
    dn_store_add_parts (image, keys, blobs);
  g_hash_table_iter_init (&iter, store->holds);
  while (g_hash_table_iter_next (&iter, (gpointer *) &hold, NULL))
    {
      g_hash_table_iter_init (&inner, hold->keys);
      while (g_hash_table_iter_next (&inner, (gpointer *) &text, NULL))
        {
          g_hash_table_add (keys, g_strdup (text));
          layer = g_hash_table_lookup (store->layers, text);
          if (layer != NULL)
            g_hash_table_add (blobs, g_strdup (layer->blob));
        }
      g_hash_table_iter_init (&inner, hold->blobs);
      while (g_hash_table_iter_next (&inner, (gpointer *) &text, NULL))
        g_hash_table_add (blobs, g_strdup (text));
    }
}

static void
tell (GPtrArray *removed, const char *what, const char *name)
{
  if (removed != NULL)
    g_ptr_array_add (removed, g_strdup_printf ("%s %s", what, name));
}

/* Under the lock.  The layer's directory waits in staging for its end, by a name of its own: one
 * that needs no new directory, since this has to work on a full disk. */
static void
drop_layer (DnStore *store, const char *key, GPtrArray *gone, GPtrArray *removed)
{
  g_autofree char *from = g_build_filename (store->layers_path, key, NULL);
  char id[DN_ID_BYTES + 1];
  char *to;

  dn_id_new (id);
  to = g_build_filename (store->staging_path, id, NULL);
  g_hash_table_remove (store->layers, key);
  if (rename (from, to) == 0)
    tell (removed, "layer", key);
  g_hash_table_add (store->staging, g_strdup (to));
  g_ptr_array_add (gone, to);
}

static void
drop_blob (DnStore *store, const char *sha256, GPtrArray *removed)
{
  g_autofree char *path = dn_store_blob_path (store, sha256);

  if (unlink (path) == 0)
    tell (removed, "blob", sha256);
}

/* Looking and removing are one step under the lock, or what somebody has just come to need could
 * go. */
void
dn_store_drop (DnStore *store, GHashTable *keys, GHashTable *blobs, GPtrArray *removed)
{
  g_autoptr (GPtrArray) gone = g_ptr_array_new ();
  g_autoptr (GHashTable) needed_keys = new_set (), needed_blobs = new_set ();
  GHashTableIter iter;
  const char *text;

  g_mutex_lock (&store->lock);
  collect_needed (store, needed_keys, needed_blobs);
  g_hash_table_iter_init (&iter, keys);
  while (g_hash_table_iter_next (&iter, (gpointer *) &text, NULL))
    if (!g_hash_table_contains (needed_keys, text))
      drop_layer (store, text, gone, removed);
  g_hash_table_iter_init (&iter, blobs);
  while (g_hash_table_iter_next (&iter, (gpointer *) &text, NULL))
    if (!g_hash_table_contains (needed_blobs, text))
      drop_blob (store, text, removed);
  g_mutex_unlock (&store->lock);
  for (guint i = 0; i < gone->len; i++)
    dn_store_end_staging (store, gone->pdata[i]);
}

DnStoreHold *
dn_store_hold_new (DnStore *store)
{
  DnStoreHold *hold = g_new0 (DnStoreHold, 1);

  hold->store = store;
  hold->blobs = new_set ();
  hold->keys = new_set ();
  hold->claims = new_set ();
  g_mutex_lock (&store->lock);
  g_hash_table_add (store->holds, hold);
  g_mutex_unlock (&store->lock);
  return hold;
}

void
dn_store_hold_free (DnStoreHold *hold)
{
  if (hold == NULL)
    return;
  g_mutex_lock (&hold->store->lock);
  g_hash_table_remove (hold->store->holds, hold);
  g_cond_broadcast (&hold->store->changed);
  g_mutex_unlock (&hold->store->lock);
  dn_store_drop (hold->store, hold->keys, hold->blobs, NULL);
  g_hash_table_unref (hold->blobs);
  g_hash_table_unref (hold->keys);
  g_hash_table_unref (hold->claims);
  g_free (hold);
}

gboolean
dn_store_hold_blob (DnStoreHold *hold, const char *sha256)
{
  gboolean is_there;

  g_mutex_lock (&hold->store->lock);
  is_there = dn_store_has_blob (hold->store, sha256);
  if (is_there)
    g_hash_table_add (hold->blobs, g_strdup (sha256));
  g_mutex_unlock (&hold->store->lock);
  return is_there;
}

gboolean
dn_store_keep_blob (DnStoreHold *hold, const char *path, const char *sha256, GError **error)
{
  g_autofree char *blob = dn_store_blob_path (hold->store, sha256);
  gboolean is_fine = TRUE;

  g_mutex_lock (&hold->store->lock);
  g_hash_table_add (hold->blobs, g_strdup (sha256));
  if (dn_store_has_blob (hold->store, sha256))
    (void) unlink (path);
  else if (rename (path, blob) < 0)
    is_fine = dn_throw_errno (error, "file '%s': moving", path);
  g_mutex_unlock (&hold->store->lock);
  return is_fine;
}

/* Under the lock. */
static gboolean
is_claimed (DnStore *store, const char *key)
{
  GHashTableIter iter;
  DnStoreHold *hold;

  g_hash_table_iter_init (&iter, store->holds);
  while (g_hash_table_iter_next (&iter, (gpointer *) &hold, NULL))
    if (g_hash_table_contains (hold->claims, key))
      return TRUE;
  return FALSE;
}

/* Under the lock.  All at once, so that no two imports wait for each other. */
static gboolean
claim (DnStoreHold *hold, GPtrArray *layers, guint *ret_have)
{
  DnStore *store = hold->store;
  guint have = 0;

  while (have < layers->len
         && g_hash_table_contains (store->layers, ((DnLayer *) layers->pdata[have])->key))
    have++;
  for (guint i = have; i < layers->len; i++)
    if (is_claimed (store, ((DnLayer *) layers->pdata[i])->key))
      return FALSE;
  for (guint i = 0; i < layers->len; i++)
    {
      DnLayer *layer = layers->pdata[i];

      g_hash_table_add (hold->keys, g_strdup (layer->key));
      if (i >= have)
        {
          g_hash_table_add (hold->claims, g_strdup (layer->key));
          continue;
        }
      layers->pdata[i] = dn_layer_ref (g_hash_table_lookup (store->layers, layer->key));
      dn_layer_unref (layer);
    }
  *ret_have = have;
  return TRUE;
}

gboolean
dn_store_claim_layers (DnStoreHold *hold, GPtrArray *layers, guint *ret_have)
{
  DnStore *store = hold->store;
  gint64 end_us = g_get_monotonic_time () + CLAIM_WAIT_US;
  gboolean is_done;

  g_mutex_lock (&store->lock);
  while (!(is_done = claim (hold, layers, ret_have))
         && g_cond_wait_until (&store->changed, &store->lock, end_us))
    ;
  g_mutex_unlock (&store->lock);
  return is_done;
}

DnLayer *
dn_store_keep_layer (DnStoreHold *hold, DnLayer *layer, const char *directory, GError **error)
{
  DnStore *store = hold->store;
  g_autofree char *to = g_build_filename (store->layers_path, layer->key, NULL);
  DnLayer *kept = NULL;

  g_mutex_lock (&store->lock);
  if (rename (directory, to) < 0)
    dn_throw_errno (error, "layer '%.12s': moving into the store", layer->key);
  else
    {
      g_hash_table_insert (store->layers, g_strdup (layer->key), dn_layer_ref (layer));
      g_hash_table_remove (hold->claims, layer->key);
      g_cond_broadcast (&store->changed);
      kept = dn_layer_ref (layer);
    }
  g_mutex_unlock (&store->lock);
  return kept;
}
