/* SPDX-License-Identifier: Apache-2.0 */
/* A read-only disk with a few files of the operator's: what a scanner is given beside the image.
 *
 * The disk is an EROFS image that danchid writes itself, since the guest can mount nothing else and
 * all it takes is one directory of plain files: no compression, no links, no attributes.  The files
 * are root's of the host, named in danchi.conf; nothing of a stranger's is read here.
 *
 * Source: the kernel's fs/erofs/erofs_fs.h (on-disk format: compact inodes, FLAT_PLAIN).
 */
#pragma once

#include <glib.h>

/* With "." and ".." and names of at most DN_SCAN_FILE_NAME_BYTES the directory fits into a block.
 */
#define DN_SCAN_FILES_MAX 16
#define DN_SCAN_FILE_NAME_BYTES 128

typedef struct
{
  const char *path; /* borrowed, of the host: a plain file */
  const char *name; /* borrowed, in the disk: letters, digits, '.', '_', '-' */
  gboolean is_program;
} DnScanFile;

/* Whether a name can stand in the disk. */
gboolean dn_scan_file_name_is_valid (const char *name);

/**
 * dn_scan_disk_write:
 * @path: is made; must not be there
 * @limit_bytes: of all files together
 * @ret_sha256: (out) (array length=count) (transfer full): of each file as it was copied
 *
 * The same files give the same bytes.  DN_ERROR_NOT_FOUND, _CONFIG, _LIMIT, naming the file.
 */
gboolean dn_scan_disk_write (const char *path, const DnScanFile *files, guint count,
                             guint64 limit_bytes, char **ret_sha256, GError **error);
