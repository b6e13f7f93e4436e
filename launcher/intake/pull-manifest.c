/* SPDX-License-Identifier: Apache-2.0 */
#include "pull-manifest.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"

#define PREFIX "sha256:"
#define HEX_BYTES 64

static const struct
{
  const char *media_type;
  gboolean is_index;
} types[] = {
  { "application/vnd.oci.image.manifest.v1+json", FALSE },
  { "application/vnd.oci.image.index.v1+json", TRUE },
  { "application/vnd.docker.distribution.manifest.v2+json", FALSE },
  { "application/vnd.docker.distribution.manifest.list.v2+json", TRUE },
};

gboolean
dn_manifest_is_digest (const char *text)
{
  return g_str_has_prefix (text, PREFIX) && strlen (text) == strlen (PREFIX) + HEX_BYTES
         && strspn (text + strlen (PREFIX), "0123456789abcdef") == HEX_BYTES;
}

static void
free_blob (DnManifestBlob *blob)
{
  g_free (blob->digest);
  g_free (blob);
}

void
dn_manifest_free (DnManifest *manifest)
{
  if (manifest == NULL)
    return;
  g_free (manifest->chosen);
  g_ptr_array_unref (manifest->blobs);
  g_free (manifest);
}

/* Members that are not asked for are of no matter: others read the same document. */
static const char *
get_text (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static JsonObject *
get_object (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static JsonArray *
get_array (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static JsonObject *
get_nth (JsonArray *array, guint n)
{
  JsonNode *node = json_array_get_element (array, n);

  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/* A descriptor's digest and size. */
static gboolean
read_descriptor (JsonObject *object, const char *what, const char **ret_digest, guint64 *ret_size,
                 GError **error)
{
  const char *digest = object != NULL ? get_text (object, "digest") : NULL;
  JsonNode *size = object != NULL ? json_object_get_member (object, "size") : NULL;

  if (digest == NULL || !dn_manifest_is_digest (digest))
    return dn_throw (error, DN_ERROR_CONFIG, "%s has no digest of the form sha256:...", what);
  if (size == NULL || json_node_get_value_type (size) != G_TYPE_INT64
      || json_node_get_int (size) < 0)
    return dn_throw (error, DN_ERROR_CONFIG, "%s has no size", what);
  *ret_digest = digest;
  *ret_size = (guint64) json_node_get_int (size);
  return TRUE;
}

static gboolean
add_blob (DnManifest *manifest, JsonObject *object, const char *what, GError **error)
{
  DnManifestBlob *blob;
  const char *digest;
  guint64 size;

  if (!read_descriptor (object, what, &digest, &size, error))
    return FALSE;
  for (guint i = 0; i < manifest->blobs->len; i++)
    {
      const DnManifestBlob *other = manifest->blobs->pdata[i];

      if (g_str_equal (other->digest, digest))
        return other->size == size
               || dn_throw (error, DN_ERROR_CONFIG, "%s has two sizes for one digest", what);
    }
  blob = g_new0 (DnManifestBlob, 1);
  blob->digest = g_strdup (digest);
  blob->size = size;
  g_ptr_array_add (manifest->blobs, blob);
  return TRUE;
}

static gboolean
read_manifest (DnManifest *manifest, JsonObject *object, GError **error)
{
  JsonArray *layers = get_array (object, "layers");

  if (layers == NULL || json_array_get_length (layers) >= DN_MANIFEST_BLOBS_MAX)
    return dn_throw (error, DN_ERROR_CONFIG, "the manifest has no layers, or more than %d",
                     DN_MANIFEST_BLOBS_MAX - 1);
  if (!add_blob (manifest, get_object (object, "config"), "the manifest's config", error))
    return FALSE;
  for (guint i = 0; i < json_array_get_length (layers); i++)
    if (!add_blob (manifest, get_nth (layers, i), "a layer of the manifest", error))
      return FALSE;
  return TRUE;
}

/* As skopeo chooses: the first that is named for this platform; one that names no platform is taken
 * where there is none. */
static gboolean
choose (DnManifest *manifest, JsonObject *object, GError **error)
{
  JsonArray *entries = get_array (object, "manifests");
  const char *spare = NULL;

  if (entries == NULL || json_array_get_length (entries) > DN_MANIFEST_ENTRIES_MAX)
    return dn_throw (error, DN_ERROR_CONFIG, "the index has no manifests, or more than %d",
                     DN_MANIFEST_ENTRIES_MAX);
  for (guint i = 0; i < json_array_get_length (entries) && manifest->chosen == NULL; i++)
    {
      JsonObject *entry = get_nth (entries, i);
      JsonObject *platform = entry != NULL ? get_object (entry, "platform") : NULL;
      const char *digest;
      guint64 size;

      if (!read_descriptor (entry, "an entry of the index", &digest, &size, error))
        return FALSE;
      if (platform == NULL)
        spare = spare != NULL ? spare : digest;
      else if (g_strcmp0 (get_text (platform, "os"), "linux") == 0
               && g_strcmp0 (get_text (platform, "architecture"), "amd64") == 0
               && (get_text (platform, "variant") == NULL
                   || get_text (platform, "variant")[0] == '\0'))
        manifest->chosen = g_strdup (digest);
    }
  if (manifest->chosen == NULL)
    manifest->chosen = g_strdup (spare);
  return manifest->chosen != NULL
         || dn_throw (error, DN_ERROR_NOT_FOUND, "the index has no image for linux on amd64");
}

static gboolean
find_type (JsonObject *object, DnManifest *manifest, GError **error)
{
  const char *type = get_text (object, "mediaType");

  /* OCI leaves it to the transport; then the form tells. */
  if (type == NULL)
    type = types[get_array (object, "manifests") != NULL ? 1 : 0].media_type;
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_equal (type, types[i].media_type))
      {
        manifest->media_type = types[i].media_type;
        manifest->is_index = types[i].is_index;
        return TRUE;
      }
  return dn_throw (error, DN_ERROR_CONFIG, "a manifest of another kind than an image's");
}

DnManifest *
dn_manifest_parse (const char *text, gsize size, GError **error)
{
  g_autoptr (JsonNode) root
      = dn_json_parse (text, size, DN_MANIFEST_MAX_BYTES, "the manifest", error);
  g_autoptr (DnManifest) manifest = NULL;
  JsonObject *object;

  if (root == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (root))
    {
      dn_throw (error, DN_ERROR_CONFIG, "the manifest is no object");
      return NULL;
    }
  object = json_node_get_object (root);
  manifest = g_new0 (DnManifest, 1);
  manifest->blobs = g_ptr_array_new_with_free_func ((GDestroyNotify) free_blob);
  if (!find_type (object, manifest, error)
      || !(manifest->is_index ? choose (manifest, object, error)
                              : read_manifest (manifest, object, error)))
    return NULL;
  return g_steal_pointer (&manifest);
}
