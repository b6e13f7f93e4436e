/* SPDX-License-Identifier: Apache-2.0 */
#include "layer.h"

#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"
#include "../daemon/json-build.h"

/* 16 TiB: so that no sum of them is too large for a number. */
#define BLOCKS_MAX ((gint64) 1 << 32)

DnLayer *
dn_layer_new (void)
{
  DnLayer *layer = g_new0 (DnLayer, 1);

  layer->ref_count = 1;
  return layer;
}

DnLayer *
dn_layer_ref (DnLayer *layer)
{
  g_atomic_int_inc (&layer->ref_count);
  return layer;
}

void
dn_layer_unref (DnLayer *layer)
{
  if (layer == NULL || !g_atomic_int_dec_and_test (&layer->ref_count))
    return;
  g_free (layer->key);
  g_free (layer->blob);
  g_free (layer->diff_id);
  g_free (layer->root_hash);
  g_free (layer);
}

char *
dn_layer_key (const char *below, const char *blob)
{
  g_autofree char *text = below != NULL ? g_strconcat (below, " ", blob, NULL) : g_strdup (blob);

  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
}

void
dn_layer_chain (const GPtrArray *layers, guint count, guint8 ret_digest[DN_DIGEST_BYTES])
{
  g_autofree char *chain = NULL;

  for (guint i = 0; i < count; i++)
    {
      g_autofree char *below = g_steal_pointer (&chain);

      chain = dn_layer_key (below, ((const DnLayer *) layers->pdata[i])->diff_id);
    }
  dn_digest_from_hex (chain, ret_digest);
}

guint64
dn_layer_file_bytes (const DnLayer *layer)
{
  return ((guint64) layer->data_blocks + (guint64) layer->hash_blocks) * DN_DISK_BLOCK_BYTES;
}

gboolean
dn_layer_equal (const DnLayer *a, const DnLayer *b)
{
  return g_str_equal (a->key, b->key) && g_str_equal (a->blob, b->blob)
         && g_str_equal (a->diff_id, b->diff_id) && g_str_equal (a->root_hash, b->root_hash)
         && a->blob_bytes == b->blob_bytes && a->data_blocks == b->data_blocks
         && a->hash_blocks == b->hash_blocks && a->files == b->files
         && a->unpacked_bytes == b->unpacked_bytes;
}

JsonObject *
dn_layer_to_json (const DnLayer *layer)
{
  JsonObject *object = json_object_new ();

  dn_json_set_text (object, "key", layer->key);
  dn_json_set_text (object, "blob", layer->blob);
  dn_json_set_text (object, "diff_id", layer->diff_id);
  dn_json_set_text (object, "root_hash", layer->root_hash);
  json_object_set_int_member (object, "blob_bytes", layer->blob_bytes);
  json_object_set_int_member (object, "data_blocks", layer->data_blocks);
  json_object_set_int_member (object, "hash_blocks", layer->hash_blocks);
  json_object_set_int_member (object, "files", layer->files);
  json_object_set_int_member (object, "unpacked_bytes", layer->unpacked_bytes);
  return object;
}

static gboolean
check (const DnLayer *layer, const char *what, GError **error)
{
  const char *digests[] = { layer->key, layer->blob, layer->diff_id, layer->root_hash };

  for (guint i = 0; i < G_N_ELEMENTS (digests); i++)
    if (!dn_id_is_hex (digests[i], DN_DIGEST_DIGITS))
      return dn_throw (error, DN_ERROR_CONFIG, "%s: '%s' is no digest", what, digests[i]);
  if (layer->data_blocks < 2 || layer->data_blocks > BLOCKS_MAX || layer->hash_blocks < 1
      || layer->hash_blocks > BLOCKS_MAX)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: its blocks cannot be so many", what);
  return TRUE;
}

DnLayer *
dn_layer_from_json (JsonObject *object, const char *what, GError **error)
{
  g_autoptr (DnLayer) layer = dn_layer_new ();
  const DnJsonField fields[] = {
    { "key", DN_JSON_STRING, TRUE, &layer->key },
    { "blob", DN_JSON_STRING, TRUE, &layer->blob },
    { "diff_id", DN_JSON_STRING, TRUE, &layer->diff_id },
    { "root_hash", DN_JSON_STRING, TRUE, &layer->root_hash },
    { "blob_bytes", DN_JSON_INT, TRUE, &layer->blob_bytes },
    { "data_blocks", DN_JSON_INT, TRUE, &layer->data_blocks },
    { "hash_blocks", DN_JSON_INT, TRUE, &layer->hash_blocks },
    { "files", DN_JSON_INT, TRUE, &layer->files },
    { "unpacked_bytes", DN_JSON_INT, TRUE, &layer->unpacked_bytes },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (object, fields, what, error) || !check (layer, what, error))
    return NULL;
  return g_steal_pointer (&layer);
}
