/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry answered about an image: its manifest, or an index and the manifest in it, as
 * bytes that danchid hashes and does not read.
 */
#pragma once

#include <glib.h>

#define DN_PULL_DOCUMENTS 2

typedef struct
{
  char *media_type; /* owned, as is all; NULL: there is none */
  char *sha256;     /* of `bytes`, as danchid computed it */
  char *bytes;
  gsize size;
} DnPullDocument;

/* What was asked for first, what it leads to behind it. */
typedef struct
{
  DnPullDocument list[DN_PULL_DOCUMENTS];
} DnPullDocuments;

void dn_pull_documents_clear (DnPullDocuments *documents);

/* Reads and hashes the file at @path, of at most 4 MiB; follows no link: it lies in a jail's
 * directory. */
gboolean dn_pull_document_read (DnPullDocument *document, const char *path, GError **error);

/* The digest of the image's manifest. (transfer none) */
const char *dn_pull_documents_manifest (const DnPullDocuments *documents);

/* Makes the thin archive @path (thin.h) of the documents and the image's config, a file of at most
 * 8 MiB. */
gboolean dn_pull_documents_write (const DnPullDocuments *documents, const char *config_path,
                                  const char *path, guint64 *ret_bytes, GError **error);
