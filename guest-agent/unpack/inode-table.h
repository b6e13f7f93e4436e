/* SPDX-License-Identifier: Apache-2.0 */
/* What the tree remembers of inodes: the layer that wrote one last, and a directory's time.
 *
 * A hash table keyed by inode number; 24 bytes an entry, so a million files take 50 MB at most.
 * An inode number that is used again is simply overwritten.
 */
#pragma once

#include <stdint.h>
#include <time.h>

typedef struct DnInodeTable DnInodeTable;

DnInodeTable *dn_inode_table_new (void); /* (transfer full); out of memory ends the process */
void dn_inode_table_free (DnInodeTable *table);

void dn_inode_table_set (DnInodeTable *table, uint64_t inode, uint32_t layer,
                         struct timespec mtime);

/* 0 for an inode that was never set: a parent that no layer names. */
uint32_t dn_inode_table_layer (const DnInodeTable *table, uint64_t inode);
struct timespec dn_inode_table_mtime (const DnInodeTable *table, uint64_t inode);
