/* SPDX-License-Identifier: Apache-2.0 */
/* Which images of the store somebody may know of, and by which of their names: all, those whose
 * name is of certain patterns, or those with certain ids.
 *
 * An image has every name that anybody loaded it by.  Whoever sees it by a pattern sees the names
 * of that pattern and no other, and finds it by those; whoever sees it by its id alone, no name at
 * all.
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

/* From now on it sees every image by every name. */
void dn_image_view_open (DnImageView *view);

/* And those with a name of one of @patterns (../spec/reference-glob.h). */
void dn_image_view_allow (DnImageView *view, char **patterns);

/* And the image with this id. */
void dn_image_view_add (DnImageView *view, const char *id);

gboolean dn_image_view_sees (const DnImageView *view, const DnImage *image);

/* @name: in its stored form, one of a stored image's */
gboolean dn_image_view_sees_name (const DnImageView *view, const char *name);

/* The image as it is seen: itself, or a copy with fewer names and without its archives, which have
 * others' names for it. (transfer full) */
DnImage *dn_image_view_show (const DnImageView *view, DnImage *image);
