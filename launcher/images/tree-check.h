/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a layer's file against its hash tree, block by block, as a guest's kernel would if it
 * read everything.
 *
 * The file is read, not mapped: a disk that fails gives an error here and not a signal.  At most
 * the tree itself is held in memory, less than a hundredth of the data.
 *
 * Source: ../guest/hash-tree.h for the form of the tree.
 */
#pragma once

#include "../guest/hash-tree.h"

/* After every so many bytes; FALSE ends the check. */
typedef gboolean (*DnTreeCheckTick) (guint64 bytes, gpointer data);

typedef enum
{
  DN_TREE_SOUND,
  DN_TREE_DAMAGED,
  DN_TREE_STOPPED, /* @tick wished so */
} DnTreeVerdict;

/**
 * dn_tree_check_file:
 * @fd: data and tree, and nothing behind them; where it stands does not matter
 * @ret_problem: (out) (transfer full): what is wrong, set with DN_TREE_DAMAGED
 */
DnTreeVerdict dn_tree_check_file (int fd, const DnHashTree *tree, DnTreeCheckTick tick,
                                  gpointer data, char **ret_problem);
