/* SPDX-License-Identifier: Apache-2.0 */
/* From blobs to layers, in a throw-away guest (R5.2).
 *
 * The layers guest gets one blob after the other, each a disk that is plugged in, and writes that
 * layer's EROFS image to its output disk.  danchid copies it out and files it before the next blob
 * comes: what is filed under a key was made by a guest that had seen no other bytes than those the
 * key names, of this layer and of those below.  So a hostile archive can spoil no layer that
 * another archive has as well, whatever becomes of the guest.  Layers below that the store has
 * already come along as one read-only disk.
 */
#pragma once

#include "store.h"
#include "work.h"

typedef struct
{
  DnStore *store;    /* all of these are borrowed */
  DnStoreHold *hold; /* keeps the blobs, has the claim on the layers that are missing */
  const char *staging;
  GPtrArray *layers; /* DnLayer, the lowest first; the first @have as the store has them, of the
                      * others key, blob, blob_bytes and diff_id; each is replaced by what became
                      * of it */
  guint have;
  gboolean allow_emulation;
} DnUnpackingPlan;

/* On success every layer is in the store. */
gboolean dn_unpacking_run (DnImageWork *work, const DnUnpackingPlan *plan, GError **error);
