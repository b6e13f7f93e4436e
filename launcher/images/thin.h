/* SPDX-License-Identifier: Apache-2.0 */
/* A thin archive: an OCI image layout in a tar with what describes an image, and none of its
 * layers.
 *
 * danchid writes it of bytes that it does not read: the registry's documents and the image's
 * config, each under the digest that danchid has computed.  The index.json is danchid's own and
 * names one document; the guest that reads the archive follows it from there, so that what was
 * asked for by its digest is what the chain of digests leads to.
 *
 * Source: OCI image-spec 1.1, image-layout.md.
 */
#pragma once

#include <glib.h>

#define DN_THIN_FILES_MAX 4

typedef struct
{
  const char *sha256; /* borrowed, as is all */
  const char *bytes;
  gsize size;
} DnThinFile;

typedef struct
{
  const char *media_type; /* of the first file, which the index names; of dn_thin_is_media_type() */
  DnThinFile files[DN_THIN_FILES_MAX];
  guint count;
} DnThin;

/* Whether danchid writes this word into an index: those of images and indexes. */
gboolean dn_thin_is_media_type (const char *media_type);

/* Makes the file @path, 0444, synced. */
gboolean dn_thin_write (const DnThin *thin, const char *path, guint64 *ret_bytes, GError **error);
