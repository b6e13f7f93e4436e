/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are in the drawing of the building: pure geometry, in units of the drawing.
 *
 * The building is a pile of storeys, each a drawing of its own, so that a printer breaks pages
 * between storeys and not within one.  A storey has @columns places for flats.  A tenant's flats
 * are a block: beside each other in one storey, if they fit, else over several.  Blocks stay in
 * order, so a storey may have places left.  Around a block is a thick wall; tenants share none.
 */
#pragma once

#include <glib.h>

#define DN_MAP_FLAT_WIDTH 184
#define DN_MAP_PITCH 200  /* from one place to the next */
#define DN_MAP_MARGIN 20  /* from the drawing's edge to the first place */
#define DN_MAP_BAND 24    /* above a block's flats: the tenant's name */
#define DN_MAP_CEILING 12 /* above a block */
#define DN_MAP_FLOOR 10   /* below one */

typedef struct
{
  gint x;
  gint y;
  gint width;
  gint height;
} DnMapBox;

/* A tenant's flats in one storey: @count from @first on, counted over all tenants. */
typedef struct
{
  guint tenant;
  guint first;
  guint count;
  guint part;  /* from 1 */
  guint parts; /* over how many storeys the tenant lives */
  guint column;
} DnMapBlock;

typedef struct
{
  guint columns;
  guint flat_height;
  GPtrArray *storeys; /* owned; of GArray of DnMapBlock, from the top down */
} DnMapLayout;

/* @sizes: how many flats each of the @tenants has. */
DnMapLayout *dn_map_layout_new (const guint *sizes, guint tenants, guint columns,
                                guint flat_height);
/* How many places are taken in the fullest storey: with so many columns the layout is the same. */
guint dn_map_layout_used (const DnMapLayout *layout);

void dn_map_layout_free (DnMapLayout *layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnMapLayout, dn_map_layout_free)

gint dn_map_width (guint columns);
gint dn_map_storey_height (const DnMapLayout *layout);
DnMapBox dn_map_block_box (const DnMapLayout *layout, const DnMapBlock *block);
/* The @index-th flat of the block. */
DnMapBox dn_map_flat_box (const DnMapLayout *layout, const DnMapBlock *block, guint index);

/* The @index-th of things of one size, in rows from left to right: @per_row as many as fit. */
guint dn_map_row_count (gint room, gint width, gint gap);
DnMapBox dn_map_row_box (guint index, guint per_row, gint width, gint height, gint gap);
