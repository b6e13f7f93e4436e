/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on their way into the store: copied into a file of root's, and hashed on the way.
 *
 * The bytes are a stranger's and are never looked at.
 */
#pragma once

#include "work.h"

/**
 * dn_blob_take:
 * @fd: a file or a pipe; stays the caller's
 * @path: is made; 0444 when done, synced
 * @limit_bytes: how large an archive may be: DN_ERROR_LIMIT
 * @ret_sha256: (out): hexadecimal; owned
 *
 * Tells @request of its progress, and gives up when its client goes.
 */
gboolean dn_blob_take (DnRequest *request, int fd, const char *path, guint64 limit_bytes,
                       char **ret_sha256, guint64 *ret_bytes, GError **error);

/* A piece of a file. */
typedef struct
{
  int fd; /* borrowed */
  guint64 offset;
  guint64 bytes;
} DnBlobRange;

/**
 * dn_blob_copy:
 * @path: is made; 0444 when done, synced
 *
 * Gives up when the work's client goes.  DN_ERROR_GUEST: the file ends before the range does.
 *
 * Returns: (transfer full): the SHA-256 of the bytes, hexadecimal, or NULL with @error
 */
char *dn_blob_copy (DnImageWork *work, const DnBlobRange *range, const char *path, GError **error);

/* Writes all of it. @what: names the file in the error, which says so when the disk is full */
gboolean dn_blob_write (int fd, const guint8 *bytes, gsize size, const char *what, GError **error);
