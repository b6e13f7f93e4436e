/* SPDX-License-Identifier: Apache-2.0 */
/* Small files that must survive a crash whole: written beside, synced, renamed.
 *
 * A reader sees the old content or the new one, never a part.  What a crash leaves is a file whose
 * name begins with ".tmp-", which the owner of the directory sweeps.
 *
 * Source: rename(2), fsync(2): the directory is synced as well, or the name might not survive.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_STATE_FILE_MAX_BYTES (4 * 1024 * 1024)
#define DN_STATE_FILE_TEMPORARY_PREFIX ".tmp-"

/* Writes @size bytes of @text as @path with @mode.  DN_ERROR_FAILED, naming the path. */
gboolean dn_state_file_write_text (const char *path, const char *text, gsize size, guint mode,
                                   GError **error);

/* Likewise, 0600, with a document. */
gboolean dn_state_file_write (const char *path, JsonNode *node, GError **error);

/**
 * dn_state_file_read:
 *
 * Returns: (transfer full): the object in @path, or NULL with DN_ERROR_NOT_FOUND when there is no
 *   such file, else DN_ERROR_CONFIG or DN_ERROR_FAILED, naming the path
 */
JsonNode *dn_state_file_read (const char *path, GError **error);

/* Makes what was renamed or created in @directory last. */
gboolean dn_state_file_sync_directory (const char *directory, GError **error);
