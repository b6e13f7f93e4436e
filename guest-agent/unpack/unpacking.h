/* SPDX-License-Identifier: Apache-2.0 */
/* `danchi-unpack layer`: one layer's blob becomes an EROFS image, over the layers below it. */
#pragma once

#include "options.h"

/**
 * dn_unpacking_run:
 *
 * Called once for each layer, in processes of their own, the lowest first, with the same scratch
 * disk: what it unpacks stays there for the layers above.  After a failure the scratch disk is
 * worth nothing.  Ends with UNPACK_LAYER_DONE.
 *
 * Privilege: CAP_SYS_ADMIN, but for an image's lowest layer in a scratch directory (tests).
 */
bool dn_unpacking_run (const DnLayerOptions *options, DnFailure *failure);
