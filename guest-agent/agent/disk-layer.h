/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of a disk, as the host describes them: DISK_LAYER, collected for a request.
 *
 * The host is trusted with what it says; it is checked all the same, because a slip there would
 * show a container other bytes than its image's.
 *
 * Pure.
 */
#pragma once

#include "../../protocol/protocol.h"
#include "../mapper/verity-slice.h"

typedef struct
{
  DnVeritySlice *slices; /* owned; the lowest layer first */
  unsigned count;        /* 0: the disk is one file system without a hash tree */
} DnDiskLayers;

/* Adds what a message says.  0; -EPROTO for one layer too many, for one that does not lie behind
 * the one before, whose tree does not fit its data, or without memory. */
int dn_disk_layers_add (DnDiskLayers *layers, const DnMsgDiskLayer *message);

/* Moves them, so that @layers has none. */
DnDiskLayers dn_disk_layers_steal (DnDiskLayers *layers);

/* A copy of its own.  0 or -ENOMEM. */
int dn_disk_layers_copy (const DnDiskLayers *layers, DnDiskLayers *ret_copy);

/* Whether both say the same of a disk. */
bool dn_disk_layers_are_equal (const DnDiskLayers *one, const DnDiskLayers *other);

/* Whether all lie on a disk of so many blocks. */
bool dn_disk_layers_fit (const DnDiskLayers *layers, uint64_t disk_blocks);

void dn_disk_layers_clear (DnDiskLayers *layers);
