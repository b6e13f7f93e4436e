/* SPDX-License-Identifier: Apache-2.0 */
/* Files from this host into a container: a file or a tree becomes a stream of entries.
 *
 * The tree is walked by descriptors, so nobody who renames things meanwhile leads the walk out of
 * it.  Symbolic links go as links (the first word of the command itself is followed, as by cp -H).
 * What is no file, directory or link is an error that names it: no device crosses.
 */
#pragma once

#include "copy-stream.h"

/* How deep a tree may be: a level holds one descriptor. */
#define DN_COPY_IN_DEPTH_MAX 200

/**
 * dn_copy_in_send:
 * @fd: where to; borrowed
 * @path: what, on this host
 * @name: what it is called in the container; "" sends the contents of a directory, without itself
 *
 * Ends the stream with END.  Returns: FALSE with DN_ERROR_FAILED or DN_ERROR_USAGE; then the stream
 *   has no END and the guest knows that it is not complete
 */
gboolean dn_copy_in_send (int fd, const char *path, const char *name, GError **error);
