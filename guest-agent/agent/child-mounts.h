/* SPDX-License-Identifier: Apache-2.0 */
/* Making mounts by descriptor; for the child's files only.  All return -1 with errno on failure. */
#pragma once

#include <stddef.h>

/* A new mount of a file system, not yet attached anywhere; a descriptor the caller owns.
 * @options: "key=value" or "key"; @attributes: MOUNT_ATTR_*. */
int dn_child_new_mount (const char *type, const char *const *options, size_t count,
                        unsigned long attributes);

/* Attaches @mount_fd at @target. */
int dn_child_move_mount (int mount_fd, int target);

/* Mounts what is at @path under @from (with "" @from itself) at @target too, with all that is
 * mounted below it, and with @attributes added. */
int dn_child_bind (int from, const char *path, int target, unsigned long attributes);
