/* SPDX-License-Identifier: Apache-2.0 */
/* danchi stats: what containers use, once or each second.
 *
 * A share of a processor needs two moments: the first table of --no-stream is the second sample. */
#include <stdio.h>
#include <unistd.h>

#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"
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

static void
add_stats (DnTable *table, JsonObject *now, JsonObject *before)
{
  gint64 memory = dn_answer_int (now, "memory_bytes", 0);
  gint64 limit = dn_answer_int (now, "memory_limit_bytes", 0);
  gint64 guest = dn_answer_int (now, "guest_memory_bytes", 0);
  gint64 most = is_limited (limit) ? limit : guest;
  g_autofree char *id = g_strndup (dn_answer_text (now, "id"), SHORT_ID_BYTES);
  g_autofree char *cpu = show_cpu (now, before);
  g_autofree char *used = dn_units_format_size (memory);
  g_autofree char *of = dn_units_format_size (most);
  g_autofree char *both = g_strdup_printf ("%s / %s", used, of);
  g_autofree char *share = most > 0
                               ? g_strdup_printf ("%.2f%%", (double) memory / (double) most * 100)
                               : g_strdup ("-");
  g_autofree char *read = dn_units_format_size (dn_answer_int (now, "read_bytes", 0));
  g_autofree char *written = dn_units_format_size (dn_answer_int (now, "written_bytes", 0));
  g_autofree char *block = g_strdup_printf ("%s / %s", read, written);
  g_autofree char *received
      = dn_units_format_size (dn_answer_int (now, "network_received_bytes", 0));
  g_autofree char *sent = dn_units_format_size (dn_answer_int (now, "network_sent_bytes", 0));
  g_autofree char *network = json_object_has_member (now, "network_sent_bytes")
                                 ? g_strdup_printf ("%s / %s", received, sent)
                                 : g_strdup ("-");
  g_autofree char *pids = g_strdup_printf ("%d", (int) dn_answer_int (now, "pids", 0));
  g_autofree char *guest_used
      = dn_units_format_size (dn_answer_int (now, "guest_memory_used_bytes", 0));
  g_autofree char *guest_all = dn_units_format_size (guest);
  g_autofree char *guest_both = g_strdup_printf ("%s / %s", guest_used, guest_all);

  dn_table_add (table, id, dn_answer_text (now, "name"), dn_answer_text (now, "context"), cpu, both,
                share, network, block, pids, guest_both, NULL);
}

static void
print_stats (JsonArray *now, JsonArray *before)
{
  g_autoptr (DnTable) table
      = dn_table_new ("CONTAINER ID", "NAME", "CONTEXT", "CPU %", "MEM USAGE / LIMIT", "MEM %",
                      "NET I/O", "BLOCK I/O", "PIDS", "GUEST MEM", NULL);

  for (guint i = 0; i < dn_answer_length (now); i++)
    {
      JsonObject *stats = dn_answer_nth (now, i);

      if (stats != NULL)
        add_stats (table, stats, find_last (before, dn_answer_text (stats, "id")));
    }
  dn_print_table (table);
  fflush (stdout);
}

static void
print_lines (JsonArray *now)
{
  for (guint i = 0; i < dn_answer_length (now); i++)
    if (dn_answer_nth (now, i) != NULL)
      dn_print_object_line (dn_answer_nth (now, i));
}

/* (transfer full): NULL with @error */
static JsonArray *
sample (DnCli *cli, char **names, GError **error)
{
  JsonObject *args = json_object_new ();
  g_autoptr (JsonObject) ok = NULL;
  JsonArray *stats;

  dn_args_set_list (args, "containers", names);
  ok = dn_cli_call (cli, "container-stats", args, NULL, error);
  if (ok == NULL)
    return NULL;
  stats = dn_answer_array (ok, "stats");
  return stats != NULL ? json_array_ref (stats) : json_array_new ();
}

static int
stats (DnCli *cli, gboolean is_once, char **names)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) before = sample (cli, names, &error);
  gboolean is_terminal = isatty (STDOUT_FILENO);

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
      now = sample (cli, names, &error);
      if (now == NULL)
        break;
      if (!cli->is_json && is_terminal && !is_once)
        fputs ("\033[H\033[J", stdout);
      if (cli->is_json)
        print_lines (now);
      else
        print_stats (now, before);
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
    { "all", 'a', G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &is_all, NULL, NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, G_MAXUINT, &names, &status))
    return status;
  /* The ended ones use nothing: there is no row to show. */
  if (is_all)
    return dn_cli_fail_usage (cli, "--all: not built yet in this version");
  return stats (cli, is_once, names);
}
