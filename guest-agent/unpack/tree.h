/* SPDX-License-Identifier: Apache-2.0 */
/* The root that the layers are unpacked into, and how names are found in it.
 *
 * A name is relative, of components that are neither empty, "." nor "..".  A parent may be a
 * symbolic link, which is then followed inside this root only, as a container would see it: an
 * absolute target begins at the root.  A target that climbs above the root is refused, although
 * the kernel would stop it there: no honest image needs one.
 *
 * The tree may be a plain directory (an image's lowest layer) or a stack of layers that shows the
 * layers below and takes up what changes (overlay.h).  Either way it remembers by path what the
 * layer's entries have said: which names are the layer's own (a whiteout hides only what is below)
 * and what time a directory has (writing into it changes it); delta.h makes use of that at the end.
 *
 * Source: openat2(2), symlink(7); OCI image-spec, layer.md.
 */
#pragma once

#include <time.h>

#include "failure.h"
#include "path-table.h"

#define DN_TREE_LINKS_MAX 40
#define DN_TREE_DEPTH_MAX 256

typedef struct DnTree DnTree;

/* @root: a directory, taken over.  (transfer full); NULL with @failure where /proc is missing. */
DnTree *dn_tree_new (int root, DnFailure *failure);
void dn_tree_free (DnTree *tree); /* accepts NULL */

/* Frees the tree, and with it its descriptors, but not what it remembers. (transfer full) */
DnPathTable *dn_tree_end (DnTree *tree);

/* Borrowed. */
int dn_tree_root (const DnTree *tree);

/**
 * dn_tree_check_name:
 * @name: of an entry of a layer; a leading "./" and a final "/" are taken off
 * @ret_name: (out): at least strlen (@name) + 1 bytes; "" for the root itself
 *
 * Refuses absolute names, "..", names over DN_PATH_BYTES, components over 255 bytes, and more than
 * %DN_TREE_DEPTH_MAX of them.  Pure.
 */
bool dn_tree_check_name (const char *name, char *ret_name, DnFailure *failure);

/**
 * dn_tree_open_parent:
 * @name: checked, not ""
 * @is_made: whether missing parents are made (root's, 0755); else their absence is -ENOENT
 * @ret_base: (out): the last component, within @name
 *
 * Returns: a descriptor of the directory that holds @name, borrowed until the next call; or -1
 */
int dn_tree_open_parent (DnTree *tree, const char *name, bool is_made, const char **ret_base,
                         DnFailure *failure);

/* Notes that the layer wrote @base in @parent ("" is @parent itself); @mtime: of a directory, else
 * NULL. */
bool dn_tree_mark (DnTree *tree, int parent, const char *base, const struct timespec *mtime,
                   DnFailure *failure);

/* Removes @base and all below it, whoever wrote it; that it is not there is no failure. */
bool dn_tree_remove (DnTree *tree, int parent, const char *base, DnFailure *failure);

/* Removes of @base and of all below it what the layer has not written itself. */
bool dn_tree_hide (DnTree *tree, int parent, const char *base, DnFailure *failure);

/* Likewise of all in @directory, and notes that nothing from below shows there any more. */
bool dn_tree_hide_all (DnTree *tree, int directory, DnFailure *failure);
