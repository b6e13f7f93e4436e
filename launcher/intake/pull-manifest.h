/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry says an image is: an index of images, or the manifest of one.
 *
 * Bytes of a stranger's, read in the jail.  Only what is needed to fetch: which manifest of an
 * index is for this host, and which blobs a manifest names.  What the image is, the reading guest
 * finds out from the same bytes.
 *
 * Source: OCI image-spec 1.1 (manifest.md, image-index.md), Docker's image manifest v2 schema 2.
 */
#pragma once

#include <glib.h>

#define DN_MANIFEST_MAX_BYTES (4 * 1024 * 1024)
#define DN_MANIFEST_BLOBS_MAX 512
#define DN_MANIFEST_ENTRIES_MAX 2048

typedef struct
{
  char *digest; /* owned; "sha256:" and 64 digits */
  guint64 size;
} DnManifestBlob;

typedef struct
{
  const char *media_type;
  gboolean is_index;
  char *chosen;     /* owned; of an index: the digest of the manifest for linux on amd64 */
  GPtrArray *blobs; /* owned (element-type DnManifestBlob); of a manifest: the config, then each
                     * layer once */
} DnManifest;

/* Returns: (transfer full): or NULL with DN_ERROR_CONFIG, or DN_ERROR_NOT_FOUND where an index has
 *   nothing for this host */
DnManifest *dn_manifest_parse (const char *text, gsize size, GError **error);
void dn_manifest_free (DnManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnManifest, dn_manifest_free)

/* Whether @text is "sha256:" and 64 lower-case hexadecimal digits. */
gboolean dn_manifest_is_digest (const char *text);
