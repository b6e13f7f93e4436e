/* SPDX-License-Identifier: Apache-2.0 */
/* The host's directory or file that is to be bound: found with the rights of who asks for it.
 *
 * A child with the caller's ids and groups and no capability opens the policy's root, on whose way
 * there may be no symbolic link, and from there the rest, on whose way links may not lead out of
 * the root (openat2(2)).  So the kernel is asked, and not imitated: what comes back is a descriptor
 * of what the caller could have opened himself, and of nothing outside what the policy allows.
 *
 * Then it is looked at: it is a directory or a regular file, on a file system that holds files and
 * not the kernel's own affairs.
 */
#pragma once

#include <sys/stat.h>

#include "../base/share-order.h"

/* Returns: a descriptor (O_PATH), the caller's, with @ret_status; or -1 with @answer made a
 * refusal. Privilege: CAP_SETUID and CAP_SETGID, for callers that are not root. */
int dn_share_source_open (const DnShareSource *source, struct stat *ret_status,
                          DnShareAnswer *answer);
