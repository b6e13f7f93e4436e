/* SPDX-License-Identifier: Apache-2.0 */
/* Which images have layers in common, and what each takes for itself.
 *
 * Made of the images that somebody may see, so that sizes and bases tell nothing of others.  A size
 * is that of layers' files: what the disk has of them.
 *
 * Pure; a snapshot.
 */
#pragma once

#include "image.h"

typedef struct DnSharing DnSharing;

/* @images: of DnImage; referenced */
DnSharing *dn_sharing_new (const GPtrArray *images);
void dn_sharing_free (DnSharing *sharing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnSharing, dn_sharing_free)

/* What of @image's layers another image has too, and what goes when the image goes. */
gint64 dn_sharing_shared_bytes (const DnSharing *sharing, const DnImage *image);
gint64 dn_sharing_own_bytes (const DnSharing *sharing, const DnImage *image);

/* The other images that have the layer with this key, in the order given; borrowed. (transfer
 * container) (element-type DnImage) */
GPtrArray *dn_sharing_others (const DnSharing *sharing, const DnImage *image, const char *key);

/* How many of @image's layers, from the lowest on, another image has too: the base that they share.
 */
guint dn_sharing_base_layers (const DnSharing *sharing, const DnImage *image);
