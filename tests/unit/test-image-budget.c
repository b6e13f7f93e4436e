/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/image-budget.c launcher/common/error.c */
/* What a guest says of an image costs no more disk than one image may. */
#include "../../launcher/common/error.h"
#include "../../launcher/images/image-budget.h"
#include "../../protocol/protocol.h"

static GPtrArray *
list (DnReadingEntry *entries, guint count)
{
  GPtrArray *array = g_ptr_array_new ();

  for (guint i = 0; i < count; i++)
    g_ptr_array_add (array, &entries[i]);
  return array;
}

static void
test_layers_that_overlap_are_refused (void)
{
  DnReadingEntry entries[128];
  g_autoptr (GPtrArray) all = list (entries, G_N_ELEMENTS (entries));
  g_autoptr (GError) error = NULL;

  /* Each within the file, each of other bytes. */
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    entries[i] = (DnReadingEntry){ .offset = i, .bytes = 1000 };
  g_assert_false (dn_image_budget_check_ranges (all, 2000, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_GUEST);
}

static void
test_a_layer_may_stand_there_several_times (void)
{
  DnReadingEntry entries[] = {
    { .offset = 0, .bytes = 600 },
    { .offset = 600, .bytes = 400 },
    { .offset = 0, .bytes = 600 },
    { .offset = DN_UNPACK_ELSEWHERE, .sha256 = (char *) "aa" },
    { .offset = DN_UNPACK_ELSEWHERE, .sha256 = (char *) "bb" },
    { .offset = DN_UNPACK_ELSEWHERE, .sha256 = (char *) "aa" },
  };
  static const guint same[] = { 0, 1, 0, 3, 4, 3 };
  g_autoptr (GPtrArray) all = list (entries, G_N_ELEMENTS (entries));

  g_assert_true (dn_image_budget_check_ranges (all, 1000, NULL));
  g_assert_false (dn_image_budget_check_ranges (all, 999, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    g_assert_cmpuint (dn_image_budget_find_same (all, i), ==, same[i]);
}

static void
test_layers_together_have_a_limit (void)
{
  g_autoptr (GError) error = NULL;
  guint64 left = 100;

  g_assert_true (dn_image_budget_take (&left, 60, NULL));
  g_assert_false (dn_image_budget_take (&left, 41, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_LIMIT);
  g_assert_true (dn_image_budget_take (&left, 40, NULL));
  g_assert_false (dn_image_budget_take (&left, 1, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image-budget/layers-that-overlap-are-refused",
                   test_layers_that_overlap_are_refused);
  g_test_add_func ("/image-budget/a-layer-may-stand-there-several-times",
                   test_a_layer_may_stand_there_several_times);
  g_test_add_func ("/image-budget/layers-together-have-a-limit", test_layers_together_have_a_limit);
  return g_test_run ();
}
