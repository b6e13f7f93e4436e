/* SPDX-License-Identifier: Apache-2.0 */
/* What images are called: a name belongs to one image at a time. */
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../daemon/json-build.h"
#include "signature.h"
#include "store-private.h"

/* Under the lock: replaces the image by one with other names.  The small file is synced under it,
 * because names have to move in one order for all. */
static DnImage *
rename_image (DnStore *store, DnImage *image, char **names, DnImageSource *source, GError **error)
{
  g_autoptr (DnImage) copy = dn_image_copy (image, names);
  g_autofree char *directory = g_build_filename (store->images_path, image->id, NULL);

  if (source != NULL && dn_store_image_source (copy, source->archive, source->reference) == NULL)
    g_ptr_array_add (copy->sources,
                     dn_image_source_new (source->archive, source->reference, source->names));
  if (!dn_store_write_image (directory, copy, error))
    return NULL;
  g_hash_table_insert (store->images, g_strdup (copy->id), dn_image_ref (copy));
  return g_steal_pointer (&copy);
}

static char **
names_without (char **names, char **others)
{
  GPtrArray *left = g_ptr_array_new ();

  for (guint i = 0; names[i] != NULL; i++)
    if (!g_strv_contains ((const char *const *) others, names[i]))
      g_ptr_array_add (left, g_strdup (names[i]));
  g_ptr_array_add (left, NULL);
  return (char **) g_ptr_array_free (left, FALSE);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static char **
names_with (char **names, char **more)
{
  g_auto (GStrv) rest = names_without (more, names);
  GPtrArray *all = g_ptr_array_new ();

  for (guint i = 0; names[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup (names[i]));
  for (guint i = 0; rest[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup (rest[i]));
  g_ptr_array_sort (all, compare_names);
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_free (all, FALSE);
}

/* Under the lock. */
static DnImage *
name_image (DnStore *store, const char *id, char **names, DnImageSource *source, GError **error)
{
  DnImage *image = g_hash_table_lookup (store->images, id);
  g_autoptr (GList) ids = g_hash_table_get_keys (store->images);
  g_auto (GStrv) all = NULL;

  if (image == NULL)
    {
      dn_throw (error, DN_ERROR_NOT_FOUND, "image '%.12s': was removed meanwhile", id);
      return NULL;
    }
  for (GList *at = ids; at != NULL; at = at->next)
    {
      DnImage *other = g_hash_table_lookup (store->images, at->data);
      g_auto (GStrv) left = names_without (other->names, names);
      g_autoptr (DnImage) changed = NULL;

      if (other == image || g_strv_length (left) == g_strv_length (other->names))
        continue;
      changed = rename_image (store, other, left, NULL, error);
      if (changed == NULL)
        return NULL;
    }
  all = names_with (image->names, names);
  return rename_image (store, image, all, source, error);
}

DnImage *
dn_store_name (DnStore *store, const char *id, char **names, DnImageSource *source, GError **error)
{
  DnImage *image;

  g_mutex_lock (&store->lock);
  image = name_image (store, id, names, source, error);
  g_mutex_unlock (&store->lock);
  dn_image_source_free (source);
  return image;
}

gboolean
dn_store_unname (DnStore *store, const char *id, const char *name, GError **error)
{
  char *gone[] = { (char *) name, NULL };
  g_autoptr (DnImage) changed = NULL;
  DnImage *image;

  g_mutex_lock (&store->lock);
  image = g_hash_table_lookup (store->images, id);
  if (image != NULL)
    {
      g_auto (GStrv) left = names_without (image->names, gone);

      changed = rename_image (store, image, left, NULL, error);
    }
  else
    dn_throw (error, DN_ERROR_NOT_FOUND, "image '%.12s': was removed meanwhile", id);
  g_mutex_unlock (&store->lock);
  return changed != NULL;
}

/* One that was found once is not lost because the image came again without one. */
static void
merge_signatures (JsonObject *object, JsonNode *node)
{
  JsonNode *old = json_object_get_member (object, DN_SIGNATURE_MEMBER);
  JsonArray *merged = dn_signature_merge (
      old != NULL && JSON_NODE_HOLDS_ARRAY (old) ? json_node_get_array (old) : NULL,
      JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL);

  json_object_set_array_member (object, DN_SIGNATURE_MEMBER, merged);
}

static void
set_members (JsonObject *object, JsonObject *members)
{
  g_autoptr (GList) names = json_object_get_members (members);

  for (GList *at = names; at != NULL; at = at->next)
    {
      JsonNode *node = json_object_get_member (members, at->data);

      if (JSON_NODE_HOLDS_NULL (node))
        json_object_remove_member (object, at->data);
      else if (g_str_equal (at->data, DN_SIGNATURE_MEMBER))
        merge_signatures (object, node);
      else
        json_object_set_member (object, at->data, json_node_copy (node));
    }
}

/* Under the lock. */
static DnImage *
change_provenance (DnStore *store, DnImage *image, JsonObject *members, GError **error)
{
  g_autoptr (DnImage) copy = dn_image_copy (image, image->names);
  g_autoptr (JsonNode) node = dn_json_node_take (dn_image_get_provenance (image));
  g_autofree char *directory = g_build_filename (store->images_path, image->id, NULL);

  set_members (json_node_get_object (node), members);
  g_free (copy->provenance);
  copy->provenance = dn_json_to_text (node, FALSE);
  if (!dn_store_write_image (directory, copy, error))
    return NULL;
  g_hash_table_insert (store->images, g_strdup (copy->id), dn_image_ref (copy));
  return g_steal_pointer (&copy);
}

DnImage *
dn_store_set_provenance (DnStore *store, const char *id, JsonObject *members, GError **error)
{
  DnImage *image, *changed = NULL;

  g_mutex_lock (&store->lock);
  image = g_hash_table_lookup (store->images, id);
  if (image != NULL)
    changed = change_provenance (store, image, members, error);
  else
    dn_throw (error, DN_ERROR_NOT_FOUND, "image '%.12s': was removed meanwhile", id);
  g_mutex_unlock (&store->lock);
  return changed;
}
