/* SPDX-License-Identifier: Apache-2.0 */
/* Writing images as an archive, from blobs of the store that danchid opened for reading.
 *
 * The bytes of an image are copied and hashed, never read for what they say; what was damaged in
 * the store is found here, and no archive comes of it.
 */
#pragma once

#include "save-manifest.h"

typedef struct DnSaveArchive DnSaveArchive;

/* @is_oci: an OCI layout, else docker's format */
DnSaveArchive *dn_save_archive_new (gboolean is_oci);
void dn_save_archive_free (DnSaveArchive *archive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnSaveArchive, dn_save_archive_free)

/* @fd: of a regular file; taken, also on failure.  A second one of the same digest is closed. */
void dn_save_archive_add_blob (DnSaveArchive *archive, const char *sha256, guint64 bytes, int fd);

/* @image: taken; its blobs are there, but for a manifest that is none */
void dn_save_archive_add_image (DnSaveArchive *archive, DnSaveImage *image);

/* Writes all to @fd.  DN_ERROR_FAILED, where a blob is damaged or @fd takes no more; DN_ERROR_USAGE
 * for what the format has no words for. */
gboolean dn_save_archive_write (DnSaveArchive *archive, int fd, GError **error);

/* How many bytes that was. */
guint64 dn_save_archive_bytes (const DnSaveArchive *archive);
