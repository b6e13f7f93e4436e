/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/mapper/verity-slice.c guest-agent/mapper/device-mapper.c */
#include <errno.h>
#include <glib.h>

#include "../../guest-agent/mapper/verity-slice.h"

static void
test_the_tree_has_the_blocks_that_its_data_needs (void)
{
  static const struct
  {
    guint64 data, hash;
  } cases[] = {
    { 1, 0 }, /* the root hash is the block's */
    { 2, 1 }, { 128, 1 }, { 129, 2 + 1 }, { 128 * 128, 128 + 1 }, { 128 * 128 + 1, 129 + 2 + 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (dn_verity_count_hash_blocks (cases[i].data), ==, cases[i].hash);
}

static void
test_a_slice_lies_on_its_disk (void)
{
  static const struct
  {
    DnVeritySlice slice;
    gboolean is_sound;
  } cases[] = {
    { { .start_block = 0, .data_blocks = 99, .hash_blocks = 1 }, TRUE },
    { { .start_block = 8, .data_blocks = 91, .hash_blocks = 1 }, TRUE },
    { { .start_block = 9, .data_blocks = 91, .hash_blocks = 1 }, FALSE },
    { { .start_block = 0, .data_blocks = 99, .hash_blocks = 2 }, FALSE },
    { { .start_block = 0, .data_blocks = 50, .hash_blocks = 0 }, FALSE },
    { { .start_block = 0, .data_blocks = 0, .hash_blocks = 0 }, FALSE },
    { { .start_block = 101, .data_blocks = 1, .hash_blocks = 0 }, FALSE },
    { { .start_block = 100, .data_blocks = 1, .hash_blocks = 0 }, FALSE },
    { { .start_block = 99, .data_blocks = 1, .hash_blocks = 0 }, TRUE },
    /* Sums that would overflow. */
    { { .start_block = G_MAXUINT64, .data_blocks = 2, .hash_blocks = 1 }, FALSE },
    { { .start_block = 0, .data_blocks = G_MAXUINT64, .hash_blocks = 1 }, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (dn_verity_slice_is_sound (&cases[i].slice, 100), ==, cases[i].is_sound);
}

static void
test_only_a_block_device_is_cut (void)
{
  DnVeritySlice slice = { .data_blocks = 2, .hash_blocks = 1 };
  dev_t device;

  g_assert_cmpint (dn_verity_slice_make (&slice, "x", "/dev/null", &device), ==, -ENOTBLK);
  g_assert_cmpint (dn_verity_slice_make (&slice, "x", "/dev/none", &device), ==, -ENOENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/verity-slice/tree", test_the_tree_has_the_blocks_that_its_data_needs);
  g_test_add_func ("/verity-slice/bounds", test_a_slice_lies_on_its_disk);
  g_test_add_func ("/verity-slice/device", test_only_a_block_device_is_cut);
  return g_test_run ();
}
