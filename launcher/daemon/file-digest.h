/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of files of the host's, computed once for each state of a file.
 *
 * A digest is kept under what the kernel says of the file: device, inode, size, and the times of
 * the last change of content and of inode, the second of which nobody can set.  So an audit of two
 * hundred guests reads QEMU once, and a file that was replaced or written is read again.
 *
 * Thread-safe: a second caller for the same file waits for the first one's result.
 * Privilege: to read the file.
 */
#pragma once

#include <glib.h>

/* Larger files are not read: no program and no guest root is that large. */
#define DN_FILE_DIGEST_MAX_BYTES (G_GINT64_CONSTANT (256) * 1024 * 1024)

/**
 * dn_file_digest:
 * @path: of a regular file; symbolic links are followed, those of /proc/PID/exe too
 *
 * Returns: (transfer full): 64 lower-case hexadecimal digits, or NULL with DN_ERROR_FAILED: it
 * cannot be read, is no regular file, is too large, or changes while it is read
 */
char *dn_file_digest (const char *path, GError **error);

/* How many files were read since the start. */
guint dn_file_digest_count_reads (void);
