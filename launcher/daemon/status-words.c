/* SPDX-License-Identifier: Apache-2.0 */
#include "status-words.h"

static char *
age_words (gint64 age_us)
{
  static const struct
  {
    gint64 seconds;
    const char *word;
  } units[]
      = { { 365 * 86400, "year" }, { 30 * 86400, "month" }, { 7 * 86400, "week" }, { 86400, "day" },
          { 3600, "hour" },        { 60, "minute" },        { 1, "second" } };
  gint64 seconds = MAX (age_us, 0) / G_USEC_PER_SEC;

  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    {
      gint64 count = seconds / units[i].seconds;

      if (count > 0)
        return g_strdup_printf ("%" G_GINT64_FORMAT " %s%s", count, units[i].word,
                                count == 1 ? "" : "s");
    }
  return g_strdup ("less than a second");
}

char *
dn_status_words (DnContainerState state, gint64 exit_code, gint64 since_us, gint64 now_us)
{
  g_autofree char *age = age_words (now_us - since_us);

  switch (state)
    {
    case DN_CONTAINER_CREATED:
      return g_strdup ("Created");
    case DN_CONTAINER_RUNNING:
      return g_strdup_printf ("Up %s", age);
    case DN_CONTAINER_PAUSED:
      return g_strdup_printf ("Up %s (Paused)", age);
    case DN_CONTAINER_EXITED:
      return g_strdup_printf ("Exited (%" G_GINT64_FORMAT ") %s ago", exit_code, age);
    }
  g_assert_not_reached ();
}
