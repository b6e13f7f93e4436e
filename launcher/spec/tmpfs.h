/* SPDX-License-Identifier: Apache-2.0 */
/* A private file system in memory, as --tmpfs asks for it: PATH[:OPTION,...].
 *
 * Always nosuid and nodev; noexec unless `exec` is asked for.  Its bytes count as the container's
 * memory.  Pure.  Source: tmpfs(5).
 */
#pragma once

#include <glib.h>

#define DN_TMPFS_MAX 32 /* in one container */

typedef struct
{
  char *path; /* owned; absolute and plain: no "." or "..", no slash at the end */
  gint64 size_bytes;
  gint64 inodes; /* 0: by the size */
  guint mode;    /* octal, with the sticky bit */
  gint64 uid;    /* of the container */
  gint64 gid;
  gboolean is_executable;
  gboolean is_filled; /* with what the image has there, owner and mode as well */
} DnTmpfs;

/* DN_ERROR_USAGE.  (transfer full) */
DnTmpfs *dn_tmpfs_parse (const char *text, GError **error);

/* For a volume of an image's: of the default size, executable, filled.  (transfer full): NULL for a
 * path that is not plain, or that is Danchi's own: what the image says of it has no effect. */
DnTmpfs *dn_tmpfs_new_volume (const char *path);
DnTmpfs *dn_tmpfs_copy (const DnTmpfs *tmpfs);
/* How many files it may hold: never unlimited, which 0 would be to the kernel. */
gint64 dn_tmpfs_inodes (const DnTmpfs *tmpfs);

/* Whether @path is absolute, bounded and without ".", ".." and doubled slashes. */
gboolean dn_tmpfs_path_is_plain (const char *path);

void dn_tmpfs_free (DnTmpfs *tmpfs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnTmpfs, dn_tmpfs_free)
