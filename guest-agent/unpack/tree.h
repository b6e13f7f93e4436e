/* SPDX-License-Identifier: Apache-2.0 */
/* The root that the layers are unpacked into, and how names are found in it.
 *
 * A name is relative, of components that are neither empty, "." nor "..".  A parent may be a
 * symbolic link, which is then followed inside this root only, as a container would see it: an
 * absolute target begins at the root.  A target that climbs above the root is refused, although
 * the kernel would stop it there: no honest image needs one.
 *
 * The tree remembers for each inode the layer that wrote it last (opaque directories hide only
 * what is below) and for each directory its time (writing into it changes it), in one table.
 *
 * Source: openat2(2), symlink(7); OCI image-spec, layer.md.
 */
#pragma once

#include <time.h>

#include "failure.h"

#define DN_TREE_LINKS_MAX 40
#define DN_TREE_DEPTH_MAX 256

typedef struct DnTree DnTree;

/* @root: a directory, taken over.  (transfer full) */
DnTree *dn_tree_new (int root);
void dn_tree_free (DnTree *tree); /* accepts NULL */

/* Borrowed. */
int dn_tree_root (const DnTree *tree);

/* Which layer dn_tree_mark() stands for, from 1. */
void dn_tree_set_layer (DnTree *tree, uint32_t layer);

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

/* Notes that @fd's inode was written by the current layer; @mtime: for directories, else NULL. */
bool dn_tree_mark (DnTree *tree, int fd, const struct timespec *mtime, DnFailure *failure);

/* Likewise for a name that cannot be opened (a link, a fifo). */
bool dn_tree_mark_at (DnTree *tree, int parent, const char *base, DnFailure *failure);

/* Removes @base and all below it; that it is not there is no failure. */
bool dn_tree_remove (DnTree *tree, int parent, const char *base, DnFailure *failure);

/* Empties directory @fd of what lower layers put there. */
bool dn_tree_hide_lower (DnTree *tree, int fd, DnFailure *failure);

/* Gives directories their times and counts what is there (the root included), at the end. */
bool dn_tree_finish (DnTree *tree, uint64_t *ret_files, DnFailure *failure);
