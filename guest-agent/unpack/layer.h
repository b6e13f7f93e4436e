/* SPDX-License-Identifier: Apache-2.0 */
/* A layer: a tar stream, applied to the tree and checked against its digests. */
#pragma once

#include "apply.h"
#include "stream.h"

/* Told how many bytes of the layer's blob have been read so far. */
typedef void (*DnLayerProgress) (uint64_t bytes, void *data);

typedef struct
{
  int fd; /* borrowed */
  uint64_t size;
  DnDigest digest;  /* of the blob */
  DnDigest diff_id; /* of the tar stream */
} DnLayerBlob;

/**
 * dn_layer_apply:
 * @stream_limit: how many bytes the layer's tar stream may have
 *
 * What the blob is compressed with is told by its first bytes.  The digests are known only at the
 * end, when the tree has changed already: after a failure the tree is worth nothing.
 */
bool dn_layer_apply (const DnLayerBlob *blob, DnTree *tree, DnBudget *budget, uint64_t stream_limit,
                     DnLayerProgress progress, void *progress_data, DnFailure *failure);
