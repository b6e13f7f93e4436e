/* SPDX-License-Identifier: Apache-2.0 */
/* Paths inside a container's root, which its tenant made: every one is resolved by the kernel with
 * the root as its end, so that no symbolic link and no ".." leads out, and used by descriptor.
 *
 * Source: openat2(2).  All return a descriptor the caller owns, or -errno.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* As open(2) under @root; magic links are refused. */
int dn_path_open (int root, const char *path, int flags, mode_t mode);

/* O_PATH; as above, but no component may be a link at all: -ELOOP. */
int dn_path_open_plain (int root, const char *path);

/* O_PATH; makes what is missing of @path: directories, and at the end a directory or an empty
 * file.  A path with ".." is not made, only opened. */
int dn_path_make (int root, const char *path, bool is_directory);

bool dn_path_exists (int root, const char *path);
