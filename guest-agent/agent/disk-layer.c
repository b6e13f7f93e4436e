/* SPDX-License-Identifier: Apache-2.0 */
#include "disk-layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* No disk is as large; what lies below it cannot overflow in a sum. */
#define DISK_BLOCKS_MAX (UINT64_C (1) << 34)

static uint64_t
find_end (const DnVeritySlice *slice)
{
  return slice->start_block + slice->data_blocks + slice->hash_blocks;
}

int
dn_disk_layers_add (DnDiskLayers *layers, const DnMsgDiskLayer *message)
{
  DnVeritySlice slice = { .start_block = message->start_block,
                          .data_blocks = message->data_blocks,
                          .hash_blocks = message->hash_blocks };
  DnVeritySlice *grown;

  _Static_assert(sizeof slice.root_hash == sizeof message->root_hash, "one kind of digest");
  memcpy (slice.root_hash, message->root_hash, sizeof slice.root_hash);
  if (layers->count >= DN_DISK_LAYERS_MAX || !dn_verity_slice_is_sound (&slice, DISK_BLOCKS_MAX)
      || (layers->count > 0 && slice.start_block < find_end (&layers->slices[layers->count - 1])))
    return -EPROTO;
  grown = reallocarray (layers->slices, layers->count + 1, sizeof *grown);
  if (grown == NULL)
    return -EPROTO;
  grown[layers->count++] = slice;
  layers->slices = grown;
  return 0;
}

DnDiskLayers
dn_disk_layers_steal (DnDiskLayers *layers)
{
  DnDiskLayers stolen = *layers;

  *layers = (DnDiskLayers){ 0 };
  return stolen;
}

int
dn_disk_layers_copy (const DnDiskLayers *layers, DnDiskLayers *ret_copy)
{
  DnDiskLayers copy = { .count = layers->count };

  if (layers->count > 0)
    {
      copy.slices = reallocarray (NULL, layers->count, sizeof *copy.slices);
      if (copy.slices == NULL)
        return -ENOMEM;
      memcpy (copy.slices, layers->slices, layers->count * sizeof *copy.slices);
    }
  *ret_copy = copy;
  return 0;
}

bool
dn_disk_layers_are_equal (const DnDiskLayers *one, const DnDiskLayers *other)
{
  if (one->count != other->count)
    return false;
  for (unsigned i = 0; i < one->count; i++)
    {
      const DnVeritySlice *a = &one->slices[i], *b = &other->slices[i];

      if (a->start_block != b->start_block || a->data_blocks != b->data_blocks
          || a->hash_blocks != b->hash_blocks
          || memcmp (a->root_hash, b->root_hash, sizeof a->root_hash) != 0)
        return false;
    }
  return true;
}

bool
dn_disk_layers_fit (const DnDiskLayers *layers, uint64_t disk_blocks)
{
  for (unsigned i = 0; i < layers->count; i++)
    if (!dn_verity_slice_is_sound (&layers->slices[i], disk_blocks))
      return false;
  return true;
}

void
dn_disk_layers_clear (DnDiskLayers *layers)
{
  free (layers->slices);
  *layers = (DnDiskLayers){ 0 };
}
