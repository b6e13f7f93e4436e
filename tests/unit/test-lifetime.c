/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/lifetime-judge.c */
#include "../../launcher/daemon/lifetime-judge.h"

#define S ((gint64) G_USEC_PER_SEC)

/* Limits, when the guest began and since when it is empty, now; what is to be done. */
static const struct
{
  guint64 idle_s, maximum_s;
  gint64 guest_since_us, idle_since_us, now_us;
  DnLifetime verdict;
} cases[] = {
  /* No limits: for ever. */
  { 0, 0, 1 * S, 1 * S, G_MAXINT64, DN_LIFETIME_GOES_ON },
  /* Idle: to the microsecond, and only while it is empty. */
  { 10, 0, 1 * S, 5 * S, 15 * S - 1, DN_LIFETIME_GOES_ON },
  { 10, 0, 1 * S, 5 * S, 15 * S, DN_LIFETIME_IDLE },
  { 10, 0, 1 * S, 0, 99 * S, DN_LIFETIME_GOES_ON },
  /* Maximum: whoever is in, and it counts for more. */
  { 0, 60, 1 * S, 0, 61 * S - 1, DN_LIFETIME_GOES_ON },
  { 0, 60, 1 * S, 0, 61 * S, DN_LIFETIME_OVER },
  { 0, 60, 1 * S, 2 * S, 61 * S, DN_LIFETIME_OVER },
  { 1, 60, 1 * S, 2 * S, 61 * S, DN_LIFETIME_OVER },
  { 1, 60, 1 * S, 2 * S, 4 * S, DN_LIFETIME_IDLE },
  /* There is no guest. */
  { 1, 1, 0, 0, 99 * S, DN_LIFETIME_GOES_ON },
  /* The largest limit there is. */
  { 0, DN_LIFETIME_MAX_S, 1, 0, G_MAXINT64, DN_LIFETIME_OVER },
  { 0, DN_LIFETIME_MAX_S, 1, 0, 365 * 86400 * S, DN_LIFETIME_GOES_ON },
};

static void
test_lifetimes_are_judged_by_both_limits (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const DnTerms terms = { .idle_s = cases[i].idle_s, .maximum_s = cases[i].maximum_s };

      if (dn_lifetime_judge (&terms, cases[i].guest_since_us, cases[i].idle_since_us,
                             cases[i].now_us)
          != cases[i].verdict)
        g_test_fail_printf ("case %u", i);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lifetime/lifetimes-are-judged-by-both-limits",
                   test_lifetimes_are_judged_by_both_limits);
  return g_test_run ();
}
