/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of an archive that save writes: what its images are called and made of.
 *
 * Digests are without "sha256:", in hexadecimal.  Blobs lie in both formats where an OCI layout has
 * them, since readers of docker's format take any name.
 *
 * Pure.
 * Source: the OCI image-spec (image-layout.md, manifest.md); docker's "image specification v1.2"
 * for manifest.json.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_SAVE_BLOBS "blobs/sha256/"

typedef struct
{
  char *id;       /* owned, as all are; also the digest of its config */
  char *name;     /* what it is called in the archive, or NULL: nothing */
  char *manifest; /* that of its registry or archive, or NULL: there is none to be kept */
  guint64 manifest_bytes;
  char **layers; /* blobs, the lowest first; never NULL */
} DnSaveImage;

void dn_save_image_free (DnSaveImage *image);

/* What a layer is by its first bytes. */
typedef enum
{
  DN_SAVE_LAYER_TAR,
  DN_SAVE_LAYER_GZIP,
  DN_SAVE_LAYER_ZSTD,
  DN_SAVE_LAYER_OTHER, /* of a compression that OCI has no type for */
} DnSaveLayerKind;

#define DN_SAVE_START_BYTES 6
DnSaveLayerKind dn_save_layer_kind (const guint8 *start, gsize size);

/* manifest.json of docker's format. @images: of DnSaveImage.  (transfer full) */
char *dn_save_docker_manifest (const GPtrArray *images);

typedef struct
{
  guint64 bytes;
  DnSaveLayerKind kind;
} DnSaveLayer;

/* An OCI manifest for an image that has none.  @layers: one for each of the image's, none of them
 * DN_SAVE_LAYER_OTHER. (transfer full) */
char *dn_save_oci_manifest (const DnSaveImage *image, guint64 config_bytes,
                            const DnSaveLayer *layers);

/* index.json: @images, of which each has its `manifest`. (transfer full) */
char *dn_save_oci_index (const GPtrArray *images);

/* Whether a manifest says that it is docker's, of the registry's schema 2.  Readers of OCI layouts
 * pass over those, so it cannot be kept in one.  No more than a search for the words is made. */
gboolean dn_save_is_docker_manifest (const char *text, gsize size);
