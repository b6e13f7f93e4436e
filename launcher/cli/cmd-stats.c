/* SPDX-License-Identifier: Apache-2.0 */
/* danchi stats: what containers use, once or each second.
 *
 * A share of a processor needs two moments: the first table of --no-stream is the second sample. */
#include <stdio.h>
#include <unistd.h>

#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"
#include "terminal.h"
#include "units.h"

#define SHORT_ID_BYTES 12
#define INTERVAL_US G_USEC_PER_SEC

/* The last sample of each container, by id: for processor time since. */
static JsonObject *
find_last (JsonArray *last, const char *id)
{
  for (guint i = 0; i < dn_answer_length (last); i++)
    {
      JsonObject *stats = dn_answer_nth (last, i);

      if (stats != NULL && g_str_equal (dn_answer_text (stats, "id"), id))
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

/* As Docker has them, with CONTEXT and GUEST MEM. */
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
  cells[COLUMN_BLOCK] = show_pair (now, "read_bytes", "written_bytes");
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
      fill_cells (stats, find_last (before, dn_answer_text (stats, "id")), cells);
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

/* @columns: of the terminal, 0: all are shown */
static void
print_stats (JsonArray *now, JsonArray *before, guint columns)
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

static void
print_lines (JsonArray *now)
{
  for (guint i = 0; i < dn_answer_length (now); i++)
    if (dn_answer_nth (now, i) != NULL)
      dn_print_object_line (dn_answer_nth (now, i));
}

/* Those that do not run, as what is known of them: they use nothing. */
static gboolean
add_ended (DnCli *cli, JsonArray *stats, GError **error)
{
  static const char *const known[] = { "id", "name", "context", "state" };
  JsonObject *args = json_object_new ();
  g_autoptr (JsonObject) ok = NULL;
  JsonArray *containers;

  json_object_set_boolean_member (args, "all", TRUE);
  ok = dn_cli_call (cli, "container-list", args, NULL, error);
  if (ok == NULL)
    return FALSE;
  containers = dn_answer_array (ok, "containers");
  for (guint i = 0; i < dn_answer_length (containers); i++)
    {
      JsonObject *container = dn_answer_nth (containers, i), *row;

      if (container == NULL || find_last (stats, dn_answer_text (container, "id")) != NULL)
        continue;
      row = json_object_new ();
      for (gsize k = 0; k < G_N_ELEMENTS (known); k++)
        json_object_set_string_member (row, known[k], dn_answer_text (container, known[k]));
      json_array_add_object_element (stats, row);
    }
  return TRUE;
}

/* (transfer full): NULL with @error */
static JsonArray *
sample (DnCli *cli, gboolean is_all, char **names, GError **error)
{
  JsonObject *args = json_object_new ();
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (JsonArray) stats = NULL;

  dn_args_set_list (args, "containers", names);
  ok = dn_cli_call (cli, "container-stats", args, NULL, error);
  if (ok == NULL)
    return NULL;
  stats = dn_answer_array (ok, "stats");
  stats = stats != NULL ? json_array_ref (stats) : json_array_new ();
  return !is_all || add_ended (cli, stats, error) ? g_steal_pointer (&stats) : NULL;
}

static int
stats (DnCli *cli, gboolean is_once, gboolean is_all, char **names)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) before = sample (cli, is_all, names, &error);
  gboolean is_terminal = isatty (STDOUT_FILENO);
  guint16 rows = 0, columns = 0;

  if (before != NULL && is_once && cli->is_json)
    {
      dn_print_array (before);
      return DN_EXIT_DONE;
    }
  if (before != NULL && cli->is_json)
    print_lines (before);
  while (before != NULL)
    {
      JsonArray *now;

      g_usleep (INTERVAL_US);
      now = sample (cli, is_all, names, &error);
      if (now == NULL)
        break;
      if (!cli->is_json && is_terminal && !is_once)
        fputs ("\033[H\033[J", stdout);
      if (cli->is_json)
        print_lines (now);
      else
        {
          if (is_terminal)
            dn_terminal_get_size (&rows, &columns);
          print_stats (now, before, columns);
        }
      json_array_unref (before);
      before = now;
      if (is_once)
        return DN_EXIT_DONE;
    }
  return dn_cli_fail (cli, error);
}

int
dn_cmd_stats (DnCli *cli, char **words)
{
  gboolean is_once = FALSE;
  gboolean is_all = FALSE;
  g_auto (GStrv) names = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "no-stream", 0, 0, G_OPTION_ARG_NONE, &is_once, "Once, not each second", NULL },
    { "all", 'a', 0, G_OPTION_ARG_NONE, &is_all, "Those that do not run as well", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, G_MAXUINT, &names, &status))
    return status;
  /* Who names containers has all of those. */
  return stats (cli, is_once, is_all && names[0] == NULL, names);
}
