/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of the mounts of this process: /proc/self/mountinfo.
 *
 * Source: proc_pid_mountinfo(5), statx(2).
 */
#pragma once

#include <stddef.h>

/* The whole file, with a NUL, and the number in it of the mount that @fd is in.  Returns: the
 * caller's, or NULL with errno */
char *dn_share_mounts_read (int fd, unsigned long long *ret_id);

/* The line of mount @id in such a text; NULL: there is none. Pure. */
const char *dn_share_mounts_find (const char *mountinfo, unsigned long long id);

/* Which directory of its file system the mount of @line shows: "/", or "/sub" of a bind mount.
 * Returns: 0, -EINVAL or -ENAMETOOLONG. Pure. */
int dn_share_mounts_root (const char *line, char *ret_root, size_t size);

/* Undoes \040 and its like, as blanks are written there, in place. Pure. */
void dn_share_mounts_unescape (char *text);
