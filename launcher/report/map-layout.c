/* SPDX-License-Identifier: Apache-2.0 */
#include "map-layout.h"

static void
add_block (GArray *storey, DnMapBlock block)
{
  g_array_append_val (storey, block);
}

static GArray *
add_storey (DnMapLayout *layout)
{
  GArray *storey = g_array_new (FALSE, FALSE, sizeof (DnMapBlock));

  g_ptr_array_add (layout->storeys, storey);
  return storey;
}

/* One who needs more than a storey begins a new one: its blocks lie on top of each other. */
DnMapLayout *
dn_map_layout_new (const guint *sizes, guint tenants, guint columns, guint flat_height)
{
  DnMapLayout *layout = g_new0 (DnMapLayout, 1);
  GArray *storey = NULL;
  guint first = 0, column = columns;

  layout->columns = columns;
  layout->flat_height = flat_height;
  layout->storeys = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  for (guint tenant = 0; tenant < tenants; tenant++)
    {
      guint parts = (sizes[tenant] + columns - 1) / columns;

      for (guint part = 1; part <= parts; part++)
        {
          guint count = MIN (columns, sizes[tenant] - (part - 1) * columns);

          if (storey == NULL || column + (parts > 1 ? columns : count) > columns)
            {
              storey = add_storey (layout);
              column = 0;
            }
          add_block (storey, (DnMapBlock){ tenant, first, count, part, parts, column });
          first += count;
          column += parts > 1 && part < parts ? columns : count;
        }
    }
  return layout;
}

guint
dn_map_layout_used (const DnMapLayout *layout)
{
  guint used = 0;

  for (guint i = 0; i < layout->storeys->len; i++)
    {
      GArray *storey = layout->storeys->pdata[i];
      const DnMapBlock *last = &g_array_index (storey, DnMapBlock, storey->len - 1);

      used = MAX (used, last->column + last->count);
    }
  return used;
}

void
dn_map_layout_free (DnMapLayout *layout)
{
  if (layout == NULL)
    return;
  g_ptr_array_unref (layout->storeys);
  g_free (layout);
}

gint
dn_map_width (guint columns)
{
  return 2 * DN_MAP_MARGIN + (gint) columns * DN_MAP_PITCH - (DN_MAP_PITCH - DN_MAP_FLAT_WIDTH);
}

gint
dn_map_storey_height (const DnMapLayout *layout)
{
  return DN_MAP_CEILING + DN_MAP_BAND + (gint) layout->flat_height + DN_MAP_FLOOR;
}

/* Wider than its flats by less than half of what is between two. */
DnMapBox
dn_map_block_box (const DnMapLayout *layout, const DnMapBlock *block)
{
  const gint rim = (DN_MAP_PITCH - DN_MAP_FLAT_WIDTH) / 2 - 2;

  return (DnMapBox){
    .x = DN_MAP_MARGIN + (gint) block->column * DN_MAP_PITCH - rim,
    .y = DN_MAP_CEILING,
    .width = (gint) block->count * DN_MAP_PITCH - (DN_MAP_PITCH - DN_MAP_FLAT_WIDTH) + 2 * rim,
    .height = DN_MAP_BAND + (gint) layout->flat_height + rim,
  };
}

DnMapBox
dn_map_flat_box (const DnMapLayout *layout, const DnMapBlock *block, guint index)
{
  return (DnMapBox){
    .x = DN_MAP_MARGIN + (gint) (block->column + index) * DN_MAP_PITCH,
    .y = DN_MAP_CEILING + DN_MAP_BAND,
    .width = DN_MAP_FLAT_WIDTH,
    .height = (gint) layout->flat_height,
  };
}

guint
dn_map_row_count (gint room, gint width, gint gap)
{
  return (guint) MAX (1, (room + gap) / (width + gap));
}

DnMapBox
dn_map_row_box (guint index, guint per_row, gint width, gint height, gint gap)
{
  return (DnMapBox){
    .x = (gint) (index % per_row) * (width + gap),
    .y = (gint) (index / per_row) * (height + gap),
    .width = width,
    .height = height,
  };
}
