/* SPDX-License-Identifier: Apache-2.0 */
/* Where everything of an EROFS image goes: for erofs.c.
 *
 *   block 0   the super block at 1024, inodes behind it
 *   ...       inodes, each with its attributes and the last, partial block of its file or names
 *   ...       whole blocks of files and directories, in the order of the tree
 *
 * Two blocks at least, so that a hash tree over it has a block of its own.  Pure.
 */
#pragma once

#include "erofs-node.h"

typedef struct
{
  uint64_t meta_blocks; /* with inodes, from 0 */
  uint64_t blocks;      /* of the whole image */
} DnErofsLayout;

/* Fills in sizes of directories, offsets and blocks of all nodes.  Fails where the image has more
 * blocks than EROFS can count. */
bool dn_erofs_layout_make (DnErofsNode *root, DnErofsLayout *ret_layout, DnFailure *failure);

/* The names of a directory in the order in which they are written: "." and ".." are among them. */
typedef struct
{
  const char *name;
  const DnErofsNode *node;
} DnErofsEntry;

/* (transfer full): @node->count + 2 of them. */
DnErofsEntry *dn_erofs_layout_entries (const DnErofsNode *node);

/* How many of @entries, from @first on, go into one block, and how many bytes of it they take. */
size_t dn_erofs_layout_fill (const DnErofsEntry *entries, size_t count, size_t first,
                             uint32_t *ret_bytes);

/* Whole blocks of what is not inline, the last perhaps padded. */
uint64_t dn_erofs_layout_blocks (const DnErofsNode *node);
