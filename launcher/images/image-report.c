/* SPDX-License-Identifier: Apache-2.0 */
#include "image-report.h"

#include <string.h>

#include "../daemon/json-build.h"
#include "history.h"
#include "signature.h"

#define DAY_US (G_GINT64_CONSTANT (24) * 3600 * G_USEC_PER_SEC)

/* A member of the provenance, or of an object in it, as a text; "" where there is none. */
static const char *
find_text (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : "";
}

static JsonObject *
find_object (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static gint64
size_of (const DnImage *image, const DnSharing *sharing)
{
  return image->layers->len > 0
             ? dn_sharing_shared_bytes (sharing, image) + dn_sharing_own_bytes (sharing, image)
             : image->rootfs_bytes;
}

/* What docker calls the digest: of the manifest, as its registry has it. */
static char *
digest_of (const DnImage *image, JsonObject *provenance)
{
  const char *digest = find_text (provenance, "digest");

  if (*digest != '\0')
    return g_str_has_prefix (digest, "sha256:") ? g_strdup (digest)
                                                : g_strconcat ("sha256:", digest, NULL);
  if (image->manifest_sha256 == NULL
      || strspn (image->manifest_sha256, "0") == strlen (image->manifest_sha256))
    return NULL;
  return g_strconcat ("sha256:", image->manifest_sha256, NULL);
}

/* Pulled by a tag, which may name another image by now. */
static gboolean
can_be_asked (JsonObject *provenance)
{
  const char *reference = find_text (provenance, "reference");

  return g_str_equal (find_text (provenance, "from"), "registry") && *reference != '\0'
         && strchr (reference, '@') == NULL;
}

/* What lists and inspect have in common: sizes, and what was found out about the image. */
static void
add_facts (JsonObject *object, const DnImage *image, const DnSharing *sharing)
{
  g_autoptr (JsonObject) provenance = dn_image_get_provenance (image);
  g_autofree char *digest = digest_of (image, provenance);
  g_autofree char *signer = dn_signature_signer (provenance);
  JsonObject *newer = find_object (provenance, "newer");

  json_object_set_int_member (object, "size_bytes", size_of (image, sharing));
  json_object_set_int_member (object, "own_bytes", dn_sharing_own_bytes (sharing, image));
  json_object_set_int_member (object, "shared_bytes", dn_sharing_shared_bytes (sharing, image));
  dn_json_set_text (object, "digest", digest);
  json_object_set_string_member (object, "signature", signer != NULL ? signer : "none");
  json_object_set_string_member (object, "verdict",
                                 find_text (find_object (provenance, "scan"), "verdict"));
  if (can_be_asked (provenance))
    json_object_set_string_member (object, "reference", find_text (provenance, "reference"));
  if (newer != NULL)
    json_object_set_object_member (object, "newer", json_object_ref (newer));
}

JsonObject *
dn_image_report_summary (const DnImage *image, const DnSharing *sharing)
{
  JsonObject *object = dn_image_summary (image);

  add_facts (object, image, sharing);
  return object;
}

static JsonObject *
describe_layer (const DnImage *image, const DnSharing *sharing, const DnLayer *layer)
{
  JsonObject *object = dn_layer_to_json (layer);
  g_autoptr (GPtrArray) others = dn_sharing_others (sharing, image, layer->key);
  JsonArray *shared = json_array_new ();

  for (guint i = 0; i < others->len; i++)
    {
      const DnImage *other = others->pdata[i];
      JsonObject *entry = json_object_new ();

      json_object_set_string_member (entry, "id", other->id);
      dn_json_set_strings (entry, "names", other->names);
      json_array_add_object_element (shared, entry);
    }
  json_object_set_int_member (object, "size_bytes", (gint64) dn_layer_file_bytes (layer));
  json_object_set_array_member (object, "shared_with", shared);
  return object;
}

JsonObject *
dn_image_report_full (const DnImage *image, const DnSharing *sharing, gint64 now_us)
{
  g_autoptr (JsonNode) node = dn_image_to_json (image);
  JsonObject *object = json_node_dup_object (node);
  JsonArray *layers = json_array_new ();
  gint64 created_us = dn_image_created_us (image);

  for (guint i = 0; i < image->layers->len; i++)
    json_array_add_object_element (layers,
                                   describe_layer (image, sharing, image->layers->pdata[i]));
  json_object_set_array_member (object, "layers", layers);
  json_object_set_int_member (object, "base_layers", dn_sharing_base_layers (sharing, image));
  json_object_set_int_member (object, "created_us", created_us);
  if (created_us > 0)
    json_object_set_int_member (object, "age_days", MAX (now_us - created_us, 0) / DAY_US);
  add_facts (object, image, sharing);
  return object;
}

static gint64
parse_time (const char *text)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, utc);

  return time != NULL ? g_date_time_to_unix (time) * G_USEC_PER_SEC : 0;
}

JsonArray *
dn_image_report_history (const DnImage *image)
{
  g_autoptr (GArray) steps
      = dn_history_match (image->history, image->history_steps, image->layers->len);
  JsonArray *array = json_array_new ();

  for (guint i = steps->len; i-- > 0;)
    {
      const DnHistoryStep *step = &g_array_index (steps, DnHistoryStep, i);
      const DnLayer *layer = step->layer >= 0 ? image->layers->pdata[step->layer] : NULL;
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "created", step->created);
      json_object_set_int_member (object, "created_us", parse_time (step->created));
      json_object_set_string_member (object, "created_by", step->created_by);
      if (layer != NULL)
        json_object_set_string_member (object, "layer", layer->key);
      if (step->layer != DN_HISTORY_UNKNOWN)
        json_object_set_int_member (object, "size_bytes",
                                    layer != NULL ? (gint64) dn_layer_file_bytes (layer) : 0);
      json_array_add_object_element (array, object);
    }
  return array;
}
