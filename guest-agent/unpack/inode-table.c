/* SPDX-License-Identifier: Apache-2.0 */
#include "inode-table.h"

#include <stddef.h>
#include <stdlib.h>

#define FIRST_SLOTS 1024 /* a power of two */

typedef struct
{
  uint64_t inode; /* 0: an empty slot; no file has that number */
  int64_t seconds;
  uint32_t nanoseconds;
  uint32_t layer;
} Slot;

struct DnInodeTable
{
  Slot *slots; /* owned */
  size_t size;
  size_t used;
};

DnInodeTable *
dn_inode_table_new (void)
{
  DnInodeTable *table = calloc (1, sizeof *table);

  if (table == NULL || (table->slots = calloc (FIRST_SLOTS, sizeof *table->slots)) == NULL)
    abort ();
  table->size = FIRST_SLOTS;
  return table;
}

void
dn_inode_table_free (DnInodeTable *table)
{
  free (table->slots);
  free (table);
}

/* The slot of @inode, or the empty one where it would go. */
static Slot *
find (const DnInodeTable *table, uint64_t inode)
{
  /* Fibonacci hashing: the file system hands out numbers in runs. */
  size_t at = (size_t) (inode * 0x9e3779b97f4a7c15u >> 20) & (table->size - 1);

  while (table->slots[at].inode != 0 && table->slots[at].inode != inode)
    at = (at + 1) & (table->size - 1);
  return &table->slots[at];
}

static void
grow (DnInodeTable *table)
{
  Slot *old = table->slots;
  size_t size = table->size;

  table->size = 2 * size;
  table->slots = calloc (table->size, sizeof *table->slots);
  if (table->slots == NULL)
    abort ();
  for (size_t i = 0; i < size; i++)
    if (old[i].inode != 0)
      *find (table, old[i].inode) = old[i];
  free (old);
}

void
dn_inode_table_set (DnInodeTable *table, uint64_t inode, uint32_t layer, struct timespec mtime)
{
  Slot *slot = find (table, inode);

  if (slot->inode == 0 && ++table->used > table->size / 2)
    {
      grow (table);
      slot = find (table, inode);
    }
  *slot = (Slot){ inode, mtime.tv_sec, (uint32_t) mtime.tv_nsec, layer };
}

uint32_t
dn_inode_table_layer (const DnInodeTable *table, uint64_t inode)
{
  return find (table, inode)->layer;
}

struct timespec
dn_inode_table_mtime (const DnInodeTable *table, uint64_t inode)
{
  const Slot *slot = find (table, inode);

  return (struct timespec){ .tv_sec = slot->seconds, .tv_nsec = (long) slot->nanoseconds };
}
