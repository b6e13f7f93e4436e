/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/report/map-layout.c */
/* The geometry of the drawn building: everybody has a flat, and nobody lives in another's. */
#include "../../launcher/report/map-layout.h"

#define FLAT_HEIGHT 60
#define TENANTS_MAX 200

static gboolean
overlap (DnMapBox a, DnMapBox b)
{
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

static gboolean
is_within (DnMapBox inner, DnMapBox outer)
{
  return inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width
         && inner.y + inner.height <= outer.y + outer.height;
}

static void
check_block (const DnMapLayout *layout, const DnMapBlock *block)
{
  const DnMapBox storey = { 0, 0, dn_map_width (layout->columns), dn_map_storey_height (layout) };
  DnMapBox box = dn_map_block_box (layout, block);

  g_assert_cmpuint (block->count, >, 0);
  g_assert_true (is_within (box, storey));
  for (guint i = 0; i < block->count; i++)
    {
      DnMapBox flat = dn_map_flat_box (layout, block, i);

      g_assert_true (is_within (flat, box));
      g_assert_cmpint (flat.y - box.y, >=, DN_MAP_BAND);
      for (guint j = 0; j < i; j++)
        g_assert_false (overlap (flat, dn_map_flat_box (layout, block, j)));
    }
}

/* All flats in order and once, blocks apart, tenants' parts numbered. */
static void
check_layout (const DnMapLayout *layout, const guint *sizes, guint tenants)
{
  guint next = 0, seen[TENANTS_MAX] = { 0 }, total = 0;

  for (guint i = 0; i < layout->storeys->len; i++)
    {
      GArray *storey = layout->storeys->pdata[i];

      g_assert_cmpuint (storey->len, >, 0);
      for (guint j = 0; j < storey->len; j++)
        {
          const DnMapBlock *block = &g_array_index (storey, DnMapBlock, j);

          check_block (layout, block);
          g_assert_cmpuint (block->first, ==, next);
          next += block->count;
          g_assert_cmpuint (block->part, ==, ++seen[block->tenant]);
          for (guint k = 0; k < j; k++)
            g_assert_false (
                overlap (dn_map_block_box (layout, block),
                         dn_map_block_box (layout, &g_array_index (storey, DnMapBlock, k))));
        }
    }
  for (guint i = 0; i < tenants; i++)
    {
      g_assert_cmpuint (seen[i], ==, (sizes[i] + layout->columns - 1) / layout->columns);
      total += sizes[i];
    }
  g_assert_cmpuint (next, ==, total);
}

static const struct
{
  guint tenants;
  guint sizes[8];
  guint storeys; /* of six columns */
  guint used;
} cases[] = {
  { 0, { 0 }, 0, 0 },
  { 1, { 0 }, 0, 0 },
  { 1, { 1 }, 1, 1 },
  { 1, { 3 }, 1, 3 },
  { 2, { 2, 1 }, 1, 3 },
  { 3, { 3, 3, 1 }, 2, 6 },
  { 3, { 4, 4, 4 }, 3, 4 },
  { 1, { 6 }, 1, 6 },
  { 1, { 7 }, 2, 6 },
  { 3, { 1, 7, 2 }, 3, 6 }, /* the seven begin a storey; the two join their last one */
  { 2, { 200, 1 }, 34, 6 },
  { 8, { 5, 2, 0, 4, 13, 1, 6, 6 }, 7, 6 },
};

static void
test_no_flat_is_in_another (void)
{
  static const guint columns[] = { 6, 4, 2, 1 };

  for (guint i = 0; i < G_N_ELEMENTS (cases) * G_N_ELEMENTS (columns); i++)
    {
      guint number = i / G_N_ELEMENTS (columns), width = columns[i % G_N_ELEMENTS (columns)];
      g_autoptr (DnMapLayout) layout
          = dn_map_layout_new (cases[number].sizes, cases[number].tenants, width, FLAT_HEIGHT);

      check_layout (layout, cases[number].sizes, cases[number].tenants);
      if (width == 6)
        {
          g_assert_cmpuint (layout->storeys->len, ==, cases[number].storeys);
          g_assert_cmpuint (dn_map_layout_used (layout), ==, cases[number].used);
        }
    }
}

static void
test_two_hundred_tenants_of_any_size_fit (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (4);

  for (guint round = 0; round < 200; round++)
    {
      guint sizes[TENANTS_MAX], tenants = (guint) g_rand_int_range (random, 1, TENANTS_MAX);
      g_autoptr (DnMapLayout) layout = NULL, narrow = NULL;

      for (guint i = 0; i < tenants; i++)
        sizes[i] = (guint) g_rand_int_range (random, 0, round % 20 + 2);
      layout = dn_map_layout_new (sizes, tenants, 6, FLAT_HEIGHT);
      check_layout (layout, sizes, tenants);
      /* With only the columns in use it is the same building. */
      if (dn_map_layout_used (layout) == 0)
        continue;
      narrow = dn_map_layout_new (sizes, tenants, dn_map_layout_used (layout), FLAT_HEIGHT);
      g_assert_cmpuint (narrow->storeys->len, ==, layout->storeys->len);
    }
}

static void
test_rows_stay_within_their_room (void)
{
  for (gint room = 1; room < 500; room += 7)
    {
      guint per_row = dn_map_row_count (room, 30, 5);

      for (guint i = 0; i < 20; i++)
        {
          DnMapBox box = dn_map_row_box (i, per_row, 30, 10, 5);

          g_assert_true (box.x + box.width <= MAX (room, 30));
          for (guint j = 0; j < i; j++)
            g_assert_false (overlap (box, dn_map_row_box (j, per_row, 30, 10, 5)));
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report-map/no-flat-is-in-another", test_no_flat_is_in_another);
  g_test_add_func ("/report-map/two-hundred-tenants-of-any-size-fit",
                   test_two_hundred_tenants_of_any_size_fit);
  g_test_add_func ("/report-map/rows-stay-within-their-room", test_rows_stay_within_their_room);
  return g_test_run ();
}
