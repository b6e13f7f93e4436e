/* SPDX-License-Identifier: Apache-2.0 */
/* Which images of the store somebody may know of: all, or those with certain ids.
 *
 * Made once for a request, since the store's lock is a leaf: nothing else can be asked under it.
 */
#pragma once

#include "image.h"

typedef struct DnImageView DnImageView;

/* Sees nothing. */
DnImageView *dn_image_view_new (void);
void dn_image_view_free (DnImageView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnImageView, dn_image_view_free)

/* From now on it sees every image. */
void dn_image_view_open (DnImageView *view);

/* And the image with this id. */
void dn_image_view_add (DnImageView *view, const char *id);

gboolean dn_image_view_sees (const DnImageView *view, const DnImage *image);
