/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer has written, made into what its image shall have: in overlayfs's form, and the same
 * whenever and wherever the layer is unpacked.
 *
 * Over other layers the kernel's overlayfs has filled the directory (overlay.h), so it has the
 * layer's files, whiteouts, and what had to be copied up.  What is done to it:
 *
 *   - a directory gets the time that the layer says; one that was copied up because something in it
 *     changed, the time that it has below; one that no layer names, and each whiteout, that of
 * 1970;
 *   - overlayfs's own attributes go (where a file was copied from, numbers of links): they would
 *     be of this guest and not of the layer.  What stays is trusted.overlay.opaque;
 *   - a directory in which a whiteout hides all is opaque, and has no whiteouts.
 *
 * Source: the kernel's Documentation/filesystems/overlayfs.rst.
 */
#pragma once

#include "failure.h"
#include "path-table.h"

/**
 * dn_delta_finish:
 * @directory: a descriptor of it; no file system lies over it any more
 * @notes: what the layer's entries have said
 * @lowers: descriptors of the layers below, the topmost first; none for the lowest layer
 * @ret_files: how many names it has, itself included
 *
 * Privilege: CAP_SYS_ADMIN where there are layers below (trusted.* attributes).
 */
bool dn_delta_finish (int directory, const DnPathTable *notes, const int *lowers,
                      size_t lowers_count, uint64_t *ret_files, DnFailure *failure);
