/* SPDX-License-Identifier: Apache-2.0 */
/* danchi stats: what containers and their guests use, once or each second.
 *
 * A guest's row says what it takes of the host, QEMU and what serves it; those of its containers
 * say what its kernel gives to each.  So the rows of one context are not to be added up.
 *
 * A share of a processor needs two moments: the first table of --no-stream is the second sample. */
#include <stdio.h>
#include <unistd.h>

#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"
#include "stats-table.h"
#include "terminal.h"

#define INTERVAL_US G_USEC_PER_SEC

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

      if (container == NULL || dn_stats_find (stats, container) != NULL)
        continue;
      row = json_object_new ();
      for (gsize k = 0; k < G_N_ELEMENTS (known); k++)
        json_object_set_string_member (row, known[k], dn_answer_text (container, known[k]));
      json_array_add_object_element (stats, row);
    }
  return TRUE;
}

/* Moves the guests of @context, NULL: all that are left, from @guests to the end of @rows. */
static void
put_guests (JsonArray *rows, JsonArray *guests, const char *context)
{
  for (guint i = 0; i < dn_answer_length (guests);)
    {
      JsonObject *guest = dn_answer_nth (guests, i);

      if (guest == NULL
          || (context != NULL && !g_str_equal (dn_answer_text (guest, "context"), context)))
        {
          i++;
          continue;
        }
      json_object_set_string_member (guest, "id", DN_STATS_GUEST_ID);
      json_object_set_string_member (guest, "name", DN_STATS_GUEST_NAME);
      json_array_add_object_element (rows, json_object_ref (guest));
      json_array_remove_element (guests, i);
    }
}

/* The guest of each context before its first container; those without any at the end.  (transfer
 * full) */
static JsonArray *
put_together (JsonArray *containers, JsonArray *guests)
{
  JsonArray *rows = json_array_new ();

  for (guint i = 0; i < dn_answer_length (containers); i++)
    {
      JsonObject *container = dn_answer_nth (containers, i);

      if (container == NULL)
        continue;
      put_guests (rows, guests, dn_answer_text (container, "context"));
      json_array_add_object_element (rows, json_object_ref (container));
    }
  put_guests (rows, guests, NULL);
  return rows;
}

/* (transfer full): NULL with @error */
static JsonArray *
sample_all (DnCli *cli, gboolean has_ended, GError **error)
{
  g_autoptr (JsonObject) ok = NULL, guests = NULL;
  g_autoptr (JsonArray) stats = NULL;

  ok = dn_cli_call (cli, "container-stats", json_object_new (), NULL, error);
  guests = ok != NULL ? dn_cli_call (cli, "context-stats", json_object_new (), NULL, error) : NULL;
  if (guests == NULL)
    return NULL;
  stats = put_together (dn_answer_array (ok, "stats"), dn_answer_array (guests, "stats"));
  return !has_ended || add_ended (cli, stats, error) ? g_steal_pointer (&stats) : NULL;
}

/* Of the containers that were named, if any were.  (transfer full): NULL with @error */
static JsonArray *
sample (DnCli *cli, gboolean is_all, char **names, GError **error)
{
  JsonObject *args;
  g_autoptr (JsonObject) ok = NULL;
  JsonArray *stats;

  if (names[0] == NULL)
    return sample_all (cli, is_all, error);
  args = json_object_new ();
  dn_args_set_list (args, "containers", names);
  ok = dn_cli_call (cli, "container-stats", args, NULL, error);
  if (ok == NULL)
    return NULL;
  stats = dn_answer_array (ok, "stats");
  return stats != NULL ? json_array_ref (stats) : json_array_new ();
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
          dn_stats_print (now, before, columns);
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
