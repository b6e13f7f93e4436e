/* SPDX-License-Identifier: Apache-2.0 */
#include "stats-table.h"

#include <stdio.h>

#include "answer.h"
#include "escape.h"
#include "print.h"
#include "units.h"

#define SHORT_ID_BYTES 12

static gboolean
is_same (JsonObject *one, JsonObject *other, const char *member)
{
  return g_str_equal (dn_answer_text (one, member), dn_answer_text (other, member));
}

static gboolean
is_guest (JsonObject *stats)
{
  return g_str_equal (dn_answer_text (stats, "id"), DN_STATS_GUEST_ID);
}

JsonObject *
dn_stats_find (JsonArray *all, JsonObject *row)
{
  for (guint i = 0; i < dn_answer_length (all); i++)
    {
      JsonObject *stats = dn_answer_nth (all, i);

      if (stats != NULL && is_same (stats, row, "id")
          && (!is_guest (row) || is_same (stats, row, "context")))
        return stats;
    }
  return NULL;
}

static char *
show_cpu (JsonObject *now, JsonObject *before)
{
  double wall_us, cpu_us;

  if (before == NULL)
    return g_strdup ("-");
  wall_us
      = (double) (dn_answer_int (now, "time_ns", 0) - dn_answer_int (before, "time_ns", 0)) / 1000;
  cpu_us = (double) (dn_answer_int (now, "cpu_us", 0) - dn_answer_int (before, "cpu_us", 0));
  /* A restart in between starts both counters again. */
  if (wall_us <= 0 || cpu_us < 0)
    return g_strdup ("-");
  return g_strdup_printf ("%.2f%%", cpu_us / wall_us * 100);
}

/* No limit travels as a number that no machine has. */
static gboolean
is_limited (gint64 limit)
{
  return limit > 0 && limit < G_MAXINT64 / 2;
}

enum
{
  COLUMN_ID,
  COLUMN_NAME,
  COLUMN_CONTEXT,
  COLUMN_CPU,
  COLUMN_MEMORY,
  COLUMN_MEMORY_SHARE,
  COLUMN_NETWORK,
  COLUMN_BLOCK,
  COLUMN_PIDS,
  COLUMN_GUEST,
  COLUMNS,
};

static const char *const titles[COLUMNS]
    = { "CONTAINER ID", "NAME",    "CONTEXT",   "CPU %", "MEM USAGE / LIMIT",
        "MEM %",        "NET I/O", "BLOCK I/O", "PIDS",  "GUEST MEM" };

/* What a terminal too narrow for all goes without, one after the other: a line that wraps is none.
 */
static const guint spared[] = { COLUMN_GUEST, COLUMN_ID, COLUMN_MEMORY_SHARE, COLUMN_CONTEXT };

static char *
show_pair (JsonObject *object, const char *first, const char *second)
{
  g_autofree char *one = dn_units_format_size (dn_answer_int (object, first, 0));
  g_autofree char *other = dn_units_format_size (dn_answer_int (object, second, 0));

  return g_strdup_printf ("%s / %s", one, other);
}

static void
clear_cells (char *cells[COLUMNS])
{
  for (guint i = 0; i < COLUMNS; i++)
    g_clear_pointer (&cells[i], g_free);
}

static void
fill_cells (JsonObject *now, JsonObject *before, char *cells[COLUMNS])
{
  gint64 memory = dn_answer_int (now, "memory_bytes", 0);
  gint64 limit = dn_answer_int (now, "memory_limit_bytes", 0);
  gint64 most = is_limited (limit) ? limit : dn_answer_int (now, "guest_memory_bytes", 0);
  g_autofree char *used = dn_units_format_size (memory);
  g_autofree char *of = dn_units_format_size (most);

  cells[COLUMN_ID] = g_strndup (dn_answer_text (now, "id"), SHORT_ID_BYTES);
  cells[COLUMN_NAME] = g_strdup (dn_answer_text (now, "name"));
  cells[COLUMN_CONTEXT] = g_strdup (dn_answer_text (now, "context"));
  /* add_ended() */
  if (json_object_has_member (now, "state"))
    {
      for (guint i = COLUMN_CPU; i < COLUMNS; i++)
        cells[i] = g_strdup ("-");
      return;
    }
  cells[COLUMN_CPU] = show_cpu (now, before);
  cells[COLUMN_MEMORY] = g_strdup_printf ("%s / %s", used, of);
  cells[COLUMN_MEMORY_SHARE]
      = most > 0 ? g_strdup_printf ("%.2f%%", (double) memory / (double) most * 100)
                 : g_strdup ("-");
  cells[COLUMN_NETWORK] = json_object_has_member (now, "network_sent_bytes")
                              ? show_pair (now, "network_received_bytes", "network_sent_bytes")
                              : g_strdup ("-");
  cells[COLUMN_BLOCK]
      = !is_guest (now) ? show_pair (now, "read_bytes", "written_bytes") : g_strdup ("-");
  /* A guest that does not answer is known by what the host sees alone. */
  if (is_guest (now) && !json_object_has_member (now, "pids"))
    {
      cells[COLUMN_PIDS] = g_strdup ("-");
      cells[COLUMN_GUEST] = g_strdup ("-");
      return;
    }
  cells[COLUMN_PIDS] = g_strdup_printf ("%d", (int) dn_answer_int (now, "pids", 0));
  cells[COLUMN_GUEST] = show_pair (now, "guest_memory_used_bytes", "guest_memory_bytes");
}

/* Those columns that are not in @without; the places behind them stay empty. */
static void
add_cells (DnTable *table, const char *const cells[COLUMNS], guint without)
{
  const char *kept[COLUMNS];
  guint count = 0;

  for (guint i = 0; i < COLUMNS; i++)
    if ((without & (1u << i)) == 0)
      kept[count++] = cells[i];
  while (count < COLUMNS)
    kept[count++] = "";
  dn_table_add (table, kept[0], kept[1], kept[2], kept[3], kept[4], kept[5], kept[6], kept[7],
                kept[8], kept[9], NULL);
}

static char *
build_table (JsonArray *now, JsonArray *before, guint without)
{
  g_autoptr (DnTable) table = dn_table_new ("", "", "", "", "", "", "", "", "", "", NULL);

  add_cells (table, titles, without);
  for (guint i = 0; i < dn_answer_length (now); i++)
    {
      JsonObject *stats = dn_answer_nth (now, i);
      char *cells[COLUMNS] = { NULL };

      if (stats == NULL)
        continue;
      fill_cells (stats, dn_stats_find (before, stats), cells);
      add_cells (table, (const char *const *) cells, without);
      clear_cells (cells);
    }
  return dn_table_to_text (table);
}

static guint
widest_line (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint widest = 0;

  for (char **line = lines; *line != NULL; line++)
    widest = MAX (widest, dn_escape_width (*line));
  return widest;
}

void
dn_stats_print (JsonArray *now, JsonArray *before, guint columns)
{
  g_autofree char *text = build_table (now, before, 0);
  guint without = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (spared) && columns > 0 && widest_line (text) > columns; i++)
    {
      without |= 1u << spared[i];
      g_free (text);
      text = build_table (now, before, without);
    }
  fputs (text, stdout);
  fflush (stdout);
}
