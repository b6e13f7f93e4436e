/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/host-clock.c */
/* The pace that emulated guests are told. */
#include "../../launcher/guest/host-clock.h"

/* By another clock and for longer. */
static void
test_is_the_counters_pace (void)
{
  gint64 begun_us = g_get_monotonic_time ();
  guint64 begun = __builtin_ia32_rdtsc ();
  guint khz = dn_host_clock_khz ();
  gdouble here;

  g_usleep (200000);
  here = (gdouble) (__builtin_ia32_rdtsc () - begun) * 1e3
         / (gdouble) (g_get_monotonic_time () - begun_us);
  g_assert_cmpfloat (khz, >, here * 0.98);
  g_assert_cmpfloat (khz, <, here * 1.02);
  g_assert_cmpuint (dn_host_clock_khz (), ==, khz);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host-clock/is the counter's pace", test_is_the_counters_pace);
  return g_test_run ();
}
