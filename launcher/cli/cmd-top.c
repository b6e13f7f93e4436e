/* SPDX-License-Identifier: Apache-2.0 */
/* danchi top: the processes of a container, as it sees them itself. */
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"
#include "units.h"

/* The state is a letter, sent as one or as its number. */
static char *
show_state (JsonObject *process)
{
  gint64 letter = dn_answer_int (process, "state", 0);

  if (letter >= 'A' && letter <= 'z')
    return g_strdup_printf ("%c", (char) letter);
  return g_strdup (dn_answer_text (process, "state"));
}

static char *
show_start (JsonObject *process)
{
  gint64 started_us = dn_answer_int (process, "started_us", 0);
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (started_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  gboolean is_today = g_get_real_time () - started_us < 24 * 3600 * (gint64) G_USEC_PER_SEC;

  if (started_us <= 0 || local == NULL)
    return g_strdup ("-");
  return g_date_time_format (local, is_today ? "%H:%M" : "%b%d");
}

static void
add_process (DnTable *table, JsonObject *process)
{
  g_autofree char *pid = g_strdup_printf ("%d", (int) dn_answer_int (process, "pid", 0));
  g_autofree char *ppid = g_strdup_printf ("%d", (int) dn_answer_int (process, "ppid", 0));
  g_autofree char *uid = g_strdup_printf ("%u", (guint) dn_answer_int (process, "uid", 0));
  g_autofree char *state = show_state (process);
  g_autofree char *cpu = dn_units_format_cpu_time (dn_answer_int (process, "cpu_us", 0));
  g_autofree char *rss = dn_units_format_size (dn_answer_int (process, "rss_bytes", 0));
  g_autofree char *start = show_start (process);

  dn_table_add (table, uid, pid, ppid, state, start, cpu, rss, dn_answer_text (process, "command"),
                NULL);
}

int
dn_cmd_top (DnCli *cli, char **words)
{
  const GOptionEntry none[] = { DN_OPTION_END };
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (DnTable) table
      = dn_table_new ("UID", "PID", "PPID", "S", "START", "TIME", "RSS", "COMMAND", NULL);
  JsonArray *processes;
  int status;

  if (!dn_options_parse (cli, none, DN_OPTIONS_ANYWHERE, words, 1, 1, &names, &status))
    return status;
  ok = dn_cli_call (cli, "container-top", dn_args_new ("container", names[0]), NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  processes = dn_answer_array (ok, "processes");
  if (cli->is_json)
    {
      dn_print_array (processes);
      return DN_EXIT_DONE;
    }
  for (guint i = 0; i < dn_answer_length (processes); i++)
    if (dn_answer_nth (processes, i) != NULL)
      add_process (table, dn_answer_nth (processes, i));
  dn_print_table (table);
  return DN_EXIT_DONE;
}
