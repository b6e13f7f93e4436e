/* SPDX-License-Identifier: Apache-2.0 */
#include "path-table.h"

#include <stddef.h>
#include <stdlib.h>

#define FIRST_SLOTS 1024 /* a power of two */

typedef struct
{
  uint64_t key; /* 0: an empty slot */
  int64_t seconds;
  uint32_t nanoseconds;
  bool is_written;
  bool is_opaque;
} Slot;

struct DnPathTable
{
  Slot *slots; /* owned */
  size_t size;
  size_t used;
};

DnPathTable *
dn_path_table_new (void)
{
  DnPathTable *table = calloc (1, sizeof *table);

  if (table == NULL || (table->slots = calloc (FIRST_SLOTS, sizeof *table->slots)) == NULL)
    abort ();
  table->size = FIRST_SLOTS;
  return table;
}

void
dn_path_table_free (DnPathTable *table)
{
  if (table == NULL)
    return;
  free (table->slots);
  free (table);
}

static uint64_t
hash (uint64_t state, const char *text)
{
  for (const unsigned char *byte = (const unsigned char *) text; *byte != '\0'; byte++)
    state = (state ^ *byte) * 0x100000001b3u;
  return state;
}

uint64_t
dn_path_key (const char *directory, const char *base)
{
  /* FNV-1a, whose low bits are weak for ends that differ little, and a finish that spreads them. */
  uint64_t key = hash (0xcbf29ce484222325u, directory);

  if (*base != '\0')
    key = hash (hash (key, "/"), base);
  key ^= key >> 32;
  key *= 0xd6e8feb86659fd93u;
  key ^= key >> 32;
  return key != 0 ? key : 1;
}

/* The slot of @key, or the empty one where it would go. */
static Slot *
find (const DnPathTable *table, uint64_t key)
{
  size_t at = (size_t) key & (table->size - 1);

  while (table->slots[at].key != 0 && table->slots[at].key != key)
    at = (at + 1) & (table->size - 1);
  return &table->slots[at];
}

static void
grow (DnPathTable *table)
{
  Slot *old = table->slots;
  size_t size = table->size;

  table->size = 2 * size;
  table->slots = calloc (table->size, sizeof *table->slots);
  if (table->slots == NULL)
    abort ();
  for (size_t i = 0; i < size; i++)
    if (old[i].key != 0)
      *find (table, old[i].key) = old[i];
  free (old);
}

void
dn_path_table_set (DnPathTable *table, uint64_t key, DnPathNote note)
{
  Slot *slot = find (table, key);

  if (slot->key == 0 && ++table->used > table->size / 2)
    {
      grow (table);
      slot = find (table, key);
    }
  *slot = (Slot){ .key = key,
                  .seconds = note.mtime.tv_sec,
                  .nanoseconds = (uint32_t) note.mtime.tv_nsec,
                  .is_written = note.is_written,
                  .is_opaque = note.is_opaque };
}

DnPathNote
dn_path_table_get (const DnPathTable *table, uint64_t key)
{
  const Slot *slot = find (table, key);

  return (DnPathNote){ .is_written = slot->is_written,
                       .is_opaque = slot->is_opaque,
                       .mtime = { .tv_sec = slot->seconds, .tv_nsec = (long) slot->nanoseconds } };
}

void
dn_path_table_clear (DnPathTable *table, uint64_t key)
{
  Slot *slot = find (table, key);

  /* The slot stays taken: what was put behind it must be found. */
  if (slot->key != 0)
    *slot = (Slot){ .key = key };
}
