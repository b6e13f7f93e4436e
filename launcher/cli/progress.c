/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "answer.h"
#include "escape.h"
#include "table.h"
#include "units.h"

#define QUIET_US G_USEC_PER_SEC
#define REDRAW_US (100 * 1000)
#define BAR_COLUMNS 24
#define COLUMNS_DEFAULT 80

struct DnProgress
{
  gboolean is_verbose;
  gboolean is_terminal;
  gboolean is_drawn;
  gint64 started_us; /* monotonic, as the next two */
  gint64 step_us;
  gint64 drawn_us;
  char *step; /* owned, escaped; NULL before the first */
  gint64 done;
  gint64 total;
};

DnProgress *
dn_progress_new (gboolean is_verbose)
{
  DnProgress *progress = g_new0 (DnProgress, 1);
  const char *terminal = g_getenv ("TERM");

  progress->is_verbose = is_verbose;
  progress->is_terminal
      = !is_verbose && isatty (STDERR_FILENO) && g_strcmp0 (terminal, "dumb") != 0;
  progress->started_us = progress->step_us = g_get_monotonic_time ();
  return progress;
}

void
dn_progress_free (DnProgress *progress)
{
  if (progress == NULL)
    return;
  dn_progress_hide (progress);
  g_free (progress->step);
  g_free (progress);
}

char *
dn_progress_format (const char *step, gint64 done, gint64 total, gint64 elapsed_us, guint columns)
{
  g_autofree char *line = NULL;

  if (total > 0)
    {
      g_autofree char *have = dn_units_format_size (done);
      g_autofree char *all = dn_units_format_size (total);
      guint full = (guint) ((double) CLAMP (done, 0, total) / (double) total * BAR_COLUMNS);
      GString *bar = g_string_new (NULL);

      for (guint i = 0; i < BAR_COLUMNS; i++)
        g_string_append_c (bar, i < full ? '=' : i == full ? '>' : ' ');
      line = g_strdup_printf ("%s [%s] %s / %s", step, bar->str, have, all);
      g_string_free (bar, TRUE);
    }
  else if (done > 0)
    {
      g_autofree char *have = dn_units_format_size (done);

      line = g_strdup_printf ("%s %s", step, have);
    }
  else
    line = g_strdup_printf ("%s (%d s)", step, (int) (elapsed_us / G_USEC_PER_SEC));
  return dn_table_shorten (line, columns);
}

void
dn_progress_hide (DnProgress *progress)
{
  if (!progress->is_drawn)
    return;
  progress->is_drawn = FALSE;
  progress->drawn_us = 0;
  fputs ("\r\033[K", stderr);
  fflush (stderr);
}

void
dn_progress_tick (DnProgress *progress)
{
  gint64 now = g_get_monotonic_time ();
  g_autofree char *line = NULL;
  struct winsize size;

  if (!progress->is_terminal || progress->step == NULL || now < progress->started_us + QUIET_US
      || now < progress->drawn_us + REDRAW_US)
    return;
  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
    size.ws_col = COLUMNS_DEFAULT;
  /* One column less: a line that fills the last one would wrap and stay. */
  line = dn_progress_format (progress->step, progress->done, progress->total,
                             now - progress->step_us, size.ws_col - 1u);
  fprintf (stderr, "\r\033[K%s", line);
  fflush (stderr);
  progress->is_drawn = TRUE;
  progress->drawn_us = now;
}

void
dn_progress_show (DnProgress *progress, JsonObject *object)
{
  g_autofree char *step = dn_escape_text (dn_answer_text (object, "step"), -1);

  progress->done = dn_answer_int (object, "done", 0);
  progress->total = dn_answer_int (object, "total", 0);
  if (g_strcmp0 (step, progress->step) != 0)
    {
      g_free (progress->step);
      progress->step = g_steal_pointer (&step);
      progress->step_us = g_get_monotonic_time ();
      if (progress->is_verbose)
        fprintf (stderr, "danchi: %6.3f s: %s\n",
                 (double) (progress->step_us - progress->started_us) / G_USEC_PER_SEC,
                 progress->step);
    }
  dn_progress_tick (progress);
}
