/* SPDX-License-Identifier: Apache-2.0 */
/* Writing tar: the headers of plain files, for the archives that save writes.
 *
 * The least that every reader knows: ustar, owner root, mode 0444, times of 0, so that the same
 * image gives the same archive.  Sizes over 8 GiB are written in base 256, as GNU tar does.
 * Nothing here reads a tar.
 *
 * Pure.
 * Source: tar(5) of libarchive, "POSIX ustar Archives" and "Numeric Extensions".
 */
#pragma once

#include <glib.h>

#define DN_TAR_BLOCK_BYTES 512
/* What ends an archive: two blocks of zeroes. */
#define DN_TAR_END_BYTES (2 * DN_TAR_BLOCK_BYTES)
#define DN_TAR_NAME_MAX_BYTES 99

/* @name: at most DN_TAR_NAME_MAX_BYTES, ASCII; a program's own, never another's */
void dn_tar_write_header (const char *name, guint64 size, guint8 ret_block[DN_TAR_BLOCK_BYTES]);

/* How many zeroes follow a file of @size bytes. */
guint dn_tar_padding (guint64 size);

/* What a file of @size bytes takes, header and padding included. */
guint64 dn_tar_file_bytes (guint64 size);
