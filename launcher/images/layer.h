/* SPDX-License-Identifier: Apache-2.0 */
/* A layer of the store: one step of an image's root, unpacked once for all images that have it.
 *
 * On disk it is STORE/layers/KEY/: layer.erofs, an EROFS image in overlayfs form with its hash tree
 * behind it, and layer.json.  The key says which blobs the layer was made of, this one and all
 * below it:
 *
 *   key(1) = SHA-256 (blob(1))    key(n) = SHA-256 (key(n-1) " " blob(n))    in hexadecimal
 *
 * It is made of digests alone that danchid computed over the blobs as they came.  Diff ids would
 * not do: only a guest can compute them, and a guest that a hostile archive took over could then
 * file its own bytes under the key of somebody else's layer.
 *
 * Immutable and counted.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../../protocol/protocol.h"
#include "digest.h"

typedef struct
{
  gint ref_count;
  char *key;             /* owned, as all are; hexadecimal, as all digests are */
  char *blob;            /* SHA-256 of the layer as it was distributed: a blob of the store */
  char *diff_id;         /* SHA-256 of its plain tar, as the image's config has it */
  char *root_hash;       /* of the hash tree */
  gint64 blob_bytes;     /* of the blob */
  gint64 data_blocks;    /* of DN_DISK_BLOCK_BYTES, of the EROFS image */
  gint64 hash_blocks;    /* of the tree, behind it */
  gint64 files;          /* what its guest says it has */
  gint64 unpacked_bytes; /* likewise */
} DnLayer;

DnLayer *dn_layer_new (void);
DnLayer *dn_layer_ref (DnLayer *layer);
void dn_layer_unref (DnLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnLayer, dn_layer_unref)

/* The key of the layer with @blob over the one with the key @below (NULL: the lowest). (transfer
 * full) */
char *dn_layer_key (const char *below, const char *blob);

/* A digest of the diff ids of the first @count of @layers: the same for the same files, however
 * their blobs were compressed.  A layer's UUID is made of it. */
void dn_layer_chain (const GPtrArray *layers, guint count, guint8 ret_digest[DN_DIGEST_BYTES]);

/* How long its file is. */
guint64 dn_layer_file_bytes (const DnLayer *layer);

/* Whether both are the same layer in every field. */
gboolean dn_layer_equal (const DnLayer *a, const DnLayer *b);

/* For layer.json and image.json. (transfer full) */
JsonObject *dn_layer_to_json (const DnLayer *layer);
DnLayer *dn_layer_from_json (JsonObject *object, const char *what, GError **error);
