/* SPDX-License-Identifier: Apache-2.0 */
/* What a request brings beside itself: PARTs and DISK_LAYERs, which come before it and wait here.
 *
 * They are for the one request that follows with their number, whatever becomes of it; at most
 * DN_PARTS_MAX requests can have some here at a time, and a link's end takes them all.
 */
#pragma once

#include <stdbool.h>

#include "disk-layer.h"

#define DN_PARTS_MAX 8 /* requests whose parts are here and which are not */

typedef struct
{
  bool is_used;
  uint32_t request;
  uint8_t *config; /* owned */
  size_t config_bytes;
  uint8_t *seccomp; /* owned */
  size_t seccomp_bytes;
  DnDiskLayers layers; /* owned */
} DnParts;

/* All of them, or what is kept for request number @request; NULL: nothing came for it. */
typedef struct
{
  DnParts all[DN_PARTS_MAX];
} DnPartsTable;

DnParts *dn_parts_find (DnPartsTable *table, uint32_t request);

/* Keep what came.  0, or -EPROTO: more than may wait, or no memory; the link must be dropped. */
int dn_parts_add (DnPartsTable *table, const DnMsgPart *part);
int dn_parts_add_layer (DnPartsTable *table, const DnMsgDiskLayer *layer);

/* The request has come: nothing waits for it any more. */
void dn_parts_forget (DnPartsTable *table, uint32_t request);

/* The link is gone. */
void dn_parts_forget_all (DnPartsTable *table);
