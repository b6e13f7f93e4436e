/* SPDX-License-Identifier: Apache-2.0 */
/* A layer: a tar stream in the archive, applied to the tree and checked against its digests. */
#pragma once

#include "apply.h"
#include "manifest.h"

/* Told how many bytes of the layer's blob have been read so far. */
typedef void (*DnLayerProgress) (uint64_t bytes, void *data);

/**
 * dn_layer_apply:
 * @stream_limit: how many bytes the layer's tar stream may have
 *
 * The digests are known only at the end, when the tree has changed already: after a failure the
 * tree is worth nothing.
 */
bool dn_layer_apply (const DnArchive *archive, const DnLayer *layer, DnTree *tree, DnBudget *budget,
                     uint64_t stream_limit, DnLayerProgress progress, void *progress_data,
                     DnFailure *failure);
