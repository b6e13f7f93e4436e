/* SPDX-License-Identifier: Apache-2.0 */
/* Files from a container onto this host.
 *
 * A guest says what is created, so nothing is created but below the directory that the user named:
 * every name is opened relative to it with openat2(2), which refuses to leave it and to follow any
 * symbolic link on the way, also one that the guest sent a moment before.  Links are made as they
 * are and never followed.  Files and links replace what had the name (which is unlinked, not
 * written through); directories are used where they are there.  Owner: the caller.  Permissions:
 * the guest's lower nine bits and the umask; directories stay usable for their owner.
 */
#pragma once

#include "copy-spec.h"
#include "copy-stream.h"

/**
 * dn_copy_out_receive:
 * @reader: at its beginning
 * @source: what was asked for: says whether itself or its contents are wanted
 * @path: where to on this host, as docker understands it: into it where it is a directory, else
 *   under that name
 *
 * When the stream just stops, this returns TRUE and reader->is_cut is set: danchid knows why.
 *
 * Returns: FALSE with DN_ERROR_PROTOCOL (the guest's fault), DN_ERROR_LIMIT, DN_ERROR_USAGE (the
 *   destination does not fit) or DN_ERROR_FAILED
 */
gboolean dn_copy_out_receive (DnCopyReader *reader, const DnCopySpec *source,
                              const DnCopySpec *destination, GError **error);
