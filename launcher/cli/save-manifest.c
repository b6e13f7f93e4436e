/* SPDX-License-Identifier: Apache-2.0 */
#include "save-manifest.h"

#include <string.h>

#include "../common/json.h"

#define OCI "application/vnd.oci.image."

void
dn_save_image_free (DnSaveImage *image)
{
  if (image == NULL)
    return;
  g_free (image->id);
  g_free (image->name);
  g_free (image->manifest);
  g_strfreev (image->layers);
  g_free (image);
}

static gboolean
begins_with (const guint8 *start, gsize size, const char *magic, gsize length)
{
  return size >= length && memcmp (start, magic, length) == 0;
}

DnSaveLayerKind
dn_save_layer_kind (const guint8 *start, gsize size)
{
  if (begins_with (start, size, "\x1f\x8b", 2))
    return DN_SAVE_LAYER_GZIP;
  if (begins_with (start, size, "\x28\xb5\x2f\xfd", 4))
    return DN_SAVE_LAYER_ZSTD;
  if (begins_with (start, size, "BZh", 3)
      || begins_with (start, size,
                      "\xfd"
                      "7zXZ",
                      5))
    return DN_SAVE_LAYER_OTHER;
  return DN_SAVE_LAYER_TAR;
}

static char *
to_text (JsonNode *node)
{
  g_autoptr (JsonNode) owned = node;

  return dn_json_to_text (owned, FALSE);
}

static char *
object_to_text (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return to_text (node);
}

static void
add_blob_name (JsonArray *array, const char *digest)
{
  g_autofree char *name = g_strconcat (DN_SAVE_BLOBS, digest, NULL);

  json_array_add_string_element (array, name);
}

/* The format has no room for a name by digest. */
static gboolean
is_tag (const char *name)
{
  return name != NULL && strchr (name, '@') == NULL;
}

char *
dn_save_docker_manifest (const GPtrArray *images)
{
  JsonArray *array = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  for (guint i = 0; i < images->len; i++)
    {
      const DnSaveImage *image = images->pdata[i];
      g_autofree char *config = g_strconcat (DN_SAVE_BLOBS, image->id, NULL);
      JsonObject *object = json_object_new ();
      JsonArray *tags = json_array_new (), *layers = json_array_new ();

      if (is_tag (image->name))
        json_array_add_string_element (tags, image->name);
      for (char **layer = image->layers; *layer != NULL; layer++)
        add_blob_name (layers, *layer);
      json_object_set_string_member (object, "Config", config);
      json_object_set_array_member (object, "RepoTags", tags);
      json_object_set_array_member (object, "Layers", layers);
      json_array_add_object_element (array, object);
    }
  json_node_take_array (node, array);
  return to_text (node);
}

static JsonObject *
descriptor (const char *media, const char *suffix, const char *digest, guint64 bytes)
{
  g_autofree char *type = g_strconcat (OCI, media, suffix, NULL);
  g_autofree char *name = g_strconcat ("sha256:", digest, NULL);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "mediaType", type);
  json_object_set_string_member (object, "digest", name);
  json_object_set_int_member (object, "size", (gint64) bytes);
  return object;
}

char *
dn_save_oci_manifest (const DnSaveImage *image, guint64 config_bytes, const DnSaveLayer *layers)
{
  static const char *const suffixes[] = {
    [DN_SAVE_LAYER_TAR] = "", [DN_SAVE_LAYER_GZIP] = "+gzip", [DN_SAVE_LAYER_ZSTD] = "+zstd"
  };
  JsonObject *object = json_object_new ();
  JsonArray *array = json_array_new ();

  json_object_set_int_member (object, "schemaVersion", 2);
  json_object_set_string_member (object, "mediaType", OCI "manifest.v1+json");
  json_object_set_object_member (object, "config",
                                 descriptor ("config.v1+json", "", image->id, config_bytes));
  for (guint i = 0; image->layers[i] != NULL; i++)
    {
      g_assert (layers[i].kind != DN_SAVE_LAYER_OTHER);
      json_array_add_object_element (array, descriptor ("layer.v1.tar", suffixes[layers[i].kind],
                                                        image->layers[i], layers[i].bytes));
    }
  json_object_set_array_member (object, "layers", array);
  return object_to_text (object);
}

char *
dn_save_oci_index (const GPtrArray *images)
{
  JsonObject *object = json_object_new ();
  JsonArray *manifests = json_array_new ();

  for (guint i = 0; i < images->len; i++)
    {
      const DnSaveImage *image = images->pdata[i];
      JsonObject *entry
          = descriptor ("manifest.v1+json", "", image->manifest, image->manifest_bytes);

      if (image->name != NULL)
        {
          JsonObject *annotations = json_object_new ();

          json_object_set_string_member (annotations, "org.opencontainers.image.ref.name",
                                         image->name);
          json_object_set_object_member (entry, "annotations", annotations);
        }
      json_array_add_object_element (manifests, entry);
    }
  json_object_set_int_member (object, "schemaVersion", 2);
  json_object_set_string_member (object, "mediaType", OCI "index.v1+json");
  json_object_set_array_member (object, "manifests", manifests);
  return object_to_text (object);
}

gboolean
dn_save_is_docker_manifest (const char *text, gsize size)
{
  static const char words[] = "application/vnd.docker.";

  return memmem (text, size, words, sizeof words - 1) != NULL;
}
