/* SPDX-License-Identifier: Apache-2.0 */
/* Making a hash tree (hash-tree.h) while the data goes by.
 *
 * Each hash block is written to its place behind the data as soon as it is full, so the memory is
 * one block for each level, however large the data is.
 *
 * Source: the kernel's Documentation/admin-guide/device-mapper/verity.rst, version 1 of the format;
 * checked against veritysetup(8) in tests/unit/test-hash-tree-build.c.
 */
#pragma once

#include "hash-tree.h"

typedef struct DnHashTreeBuild DnHashTreeBuild;

/* @data_blocks: at least 2: the kernel has no tree for one block.  @fd: the file into which the
 * tree goes; stays the caller's. */
DnHashTreeBuild *dn_hash_tree_build_new (guint64 data_blocks, int fd);
void dn_hash_tree_build_free (DnHashTreeBuild *build);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnHashTreeBuild, dn_hash_tree_build_free)

/* Takes the next @count blocks of the data.  DN_ERROR_FAILED: the file cannot be written. */
gboolean dn_hash_tree_build_add (DnHashTreeBuild *build, const guint8 *blocks, guint64 count,
                                 GError **error);

/* After the last block. */
gboolean dn_hash_tree_build_finish (DnHashTreeBuild *build, DnHashTree *ret_tree, GError **error);
