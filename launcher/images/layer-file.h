/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's directory, made of what a guest left on its output disk.
 *
 * The guest may still run and write there: the bytes are read once, and what was read is what is
 * written, hashed into the tree and kept.  Nobody looks into them.
 */
#pragma once

#include "layer.h"
#include "work.h"

#define DN_LAYER_FILE "layer.erofs"
#define DN_LAYER_FACTS "layer.json"

/**
 * dn_layer_file_make:
 * @output: the guest's output disk; borrowed
 * @image_bytes: how long the EROFS image at its start is, as the guest says; checked here
 * @directory: is made, 0711
 * @layer: has all but data_blocks, hash_blocks and root_hash, which are set
 *
 * Writes layer.erofs, image and hash tree, and layer.json, both 0444 and synced.
 */
gboolean dn_layer_file_make (DnImageWork *work, const char *output, guint64 image_bytes,
                             const char *directory, DnLayer *layer, GError **error);
