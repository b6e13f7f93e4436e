/* SPDX-License-Identifier: Apache-2.0 */
/* Taking an archive in: bytes from a client's descriptor into a file, hashed on the way.
 *
 * The bytes are a stranger's and are never looked at.
 */
#pragma once

#include "../daemon/request.h"

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

/* Hashes the first @size bytes of @fd. (transfer full): hexadecimal, or NULL */
char *dn_blob_hash (int fd, guint64 size, GError **error);
