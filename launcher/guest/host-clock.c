/* SPDX-License-Identifier: Apache-2.0 */
#include "host-clock.h"

#include <time.h>

#define MEASURE_US 20000
#define SAMPLES 5
#define KHZ_LEAST 100000
#define KHZ_MOST 20000000

typedef struct
{
  guint64 ticks;
  gint64 ns;
  gint64 doubt_ns;
} Sample;

static gint64
now_ns (void)
{
  struct timespec now;

  (void) clock_gettime (CLOCK_MONOTONIC_RAW, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* Of several the one that was interrupted least. */
static Sample
take_sample (void)
{
  Sample best = { .doubt_ns = G_MAXINT64 };

  for (guint i = 0; i < SAMPLES; i++)
    {
      gint64 before = now_ns ();
      guint64 ticks = __builtin_ia32_rdtsc ();
      gint64 doubt = now_ns () - before;

      if (doubt < best.doubt_ns)
        best = (Sample){ .ticks = ticks, .ns = before + doubt / 2, .doubt_ns = doubt };
    }
  return best;
}

static guint
measure (void)
{
  Sample first = take_sample (), last;
  guint64 khz;

  g_usleep (MEASURE_US);
  last = take_sample ();
  if (last.ticks <= first.ticks || last.ns <= first.ns)
    return 0;
  khz = (guint64) ((gdouble) (last.ticks - first.ticks) * 1e6 / (gdouble) (last.ns - first.ns));
  return khz >= KHZ_LEAST && khz <= KHZ_MOST ? (guint) khz : 0;
}

guint
dn_host_clock_khz (void)
{
  static gsize is_measured;
  static guint khz;

  if (g_once_init_enter (&is_measured))
    {
      khz = measure ();
      g_once_init_leave (&is_measured, 1);
    }
  return khz;
}
