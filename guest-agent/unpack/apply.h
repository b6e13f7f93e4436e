/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of a layer onto the tree.
 *
 *   kept       names, bytes, owners (numbers), permission bits, times, user.* attributes, hard
 * links, symbolic links as they are, fifos dropped    set-uid and set-gid bits, security.*,
 * trusted.* and system.* attributes: a container has no use for what gives rights at exec, and what
 * overlayfs understands is ours refused    device nodes and unknown kinds; names that are absolute
 * or have ".."; links on the way that climb out of the root; hard links to what is not there
 *   whiteouts  ".wh.NAME" hides NAME, ".wh..wh..opq" all in its directory, as far as it is of the
 *              layers below: what the layer itself has there stays, wherever in it the whiteout is
 *
 * Source: OCI image-spec, layer.md; libarchive, archive_entry(3).
 * Privilege: root in the unpack guest (owners of files); as another user owners are not kept.
 */
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "tree.h"

/* What is left of the limits. */
typedef struct
{
  uint64_t files;
  uint64_t bytes;
} DnBudget;

/* @layer: the reader that @entry came from, for a file's bytes. */
bool dn_apply_entry (DnTree *tree, struct archive *layer, struct archive_entry *entry,
                     DnBudget *budget, DnFailure *failure);
