/* SPDX-License-Identifier: Apache-2.0 */
#include "sharing.h"

struct DnSharing
{
  GHashTable *users; /* key, borrowed of the images' → GPtrArray of DnImage, borrowed */
  GPtrArray *images; /* DnImage */
};

DnSharing *
dn_sharing_new (const GPtrArray *images)
{
  DnSharing *sharing = g_new0 (DnSharing, 1);

  sharing->images = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_image_unref);
  sharing->users
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  for (guint i = 0; i < images->len; i++)
    {
      DnImage *image = dn_image_ref (images->pdata[i]);

      g_ptr_array_add (sharing->images, image);
      for (guint n = 0; n < image->layers->len; n++)
        {
          const DnLayer *layer = image->layers->pdata[n];
          GPtrArray *users = g_hash_table_lookup (sharing->users, layer->key);

          if (users == NULL)
            {
              users = g_ptr_array_new ();
              g_hash_table_insert (sharing->users, layer->key, users);
            }
          g_ptr_array_add (users, image);
        }
    }
  return sharing;
}

void
dn_sharing_free (DnSharing *sharing)
{
  if (sharing == NULL)
    return;
  g_hash_table_unref (sharing->users);
  g_ptr_array_unref (sharing->images);
  g_free (sharing);
}

static gboolean
is_shared (const DnSharing *sharing, const DnImage *image, const char *key)
{
  const GPtrArray *users = g_hash_table_lookup (sharing->users, key);

  for (guint i = 0; users != NULL && i < users->len; i++)
    if (!g_str_equal (((DnImage *) users->pdata[i])->id, image->id))
      return TRUE;
  return FALSE;
}

static gint64
sum (const DnSharing *sharing, const DnImage *image, gboolean wants_shared)
{
  gint64 bytes = 0;

  for (guint i = 0; i < image->layers->len; i++)
    {
      const DnLayer *layer = image->layers->pdata[i];

      if (is_shared (sharing, image, layer->key) == wants_shared)
        bytes += (gint64) dn_layer_file_bytes (layer);
    }
  return bytes;
}

gint64
dn_sharing_shared_bytes (const DnSharing *sharing, const DnImage *image)
{
  return sum (sharing, image, TRUE);
}

gint64
dn_sharing_own_bytes (const DnSharing *sharing, const DnImage *image)
{
  return sum (sharing, image, FALSE);
}

GPtrArray *
dn_sharing_others (const DnSharing *sharing, const DnImage *image, const char *key)
{
  const GPtrArray *users = g_hash_table_lookup (sharing->users, key);
  GPtrArray *others = g_ptr_array_new ();

  for (guint i = 0; users != NULL && i < users->len; i++)
    if (!g_str_equal (((DnImage *) users->pdata[i])->id, image->id))
      g_ptr_array_add (others, users->pdata[i]);
  return others;
}

guint
dn_sharing_base_layers (const DnSharing *sharing, const DnImage *image)
{
  guint count = 0;

  /* A key names all that is below it: what shares a layer shares those as well. */
  while (count < image->layers->len
         && is_shared (sharing, image, ((DnLayer *) image->layers->pdata[count])->key))
    count++;
  return count;
}
