/* SPDX-License-Identifier: Apache-2.0 */
/* Files below a root: "/" for this host, a directory of a test's for an imagined one.
 *
 * Every collector of the survey reads through these, so that a tree of a few files is a host.  What
 * is read may have been written by anybody (names of processes, paths of sockets): it is bounded
 * here, and cleaned where it goes into the document (fact.h).
 */
#pragma once

#include <glib.h>

/* For files of one value or a few lines. */
#define DN_ROOT_FILE_MAX_BYTES (64 * 1024)

/* The first @max_bytes of @path below @root, without the last newline; NUL bytes become newlines.
 * Never blocks.  (transfer full); NULL where it cannot be read or is no file. */
char *dn_root_file_read (const char *root, const char *path, gsize max_bytes);

/* Likewise, a file that holds one word or line. */
char *dn_root_file_read_line (const char *root, const char *path);

/* Where a symbolic link points to, not followed. (transfer full); NULL where there is none */
char *dn_root_file_read_link (const char *root, const char *path);

/* The names in a directory in the order of strcmp(), at most @max. (transfer full); empty where
 * there is none */
GPtrArray *dn_root_file_list (const char *root, const char *path, guint max);

/* @path below @root. (transfer full) */
char *dn_root_file_path (const char *root, const char *path);
