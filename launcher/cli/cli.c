/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../common/api.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "answer.h"
#include "commands.h"
#include "console-tail.h"
#include "escape.h"
#include "help.h"
#include "options.h"

#define CONSOLE_LINES 20

void
dn_cli_init (DnCli *cli)
{
  *cli = (DnCli){ .console_fd = -1 };
}

static const char *
find_socket (const DnCli *cli)
{
  const char *variable = g_getenv ("DANCHI_SOCKET");

  if (cli->socket_path != NULL)
    return cli->socket_path;
  return variable != NULL && *variable != '\0' ? variable : DN_API_SOCKET;
}

void
dn_cli_clear (DnCli *cli)
{
  g_clear_pointer (&cli->client, dn_client_free);
  g_clear_pointer (&cli->command_words, g_free);
  g_clear_pointer (&cli->socket_path, g_free);
  g_clear_pointer (&cli->format, g_free);
  dn_fd_clear (&cli->console_fd);
}

gboolean
dn_cli_connect (DnCli *cli, GError **error)
{
  if (cli->client == NULL)
    cli->client = dn_client_connect (find_socket (cli), cli->is_verbose, error);
  return cli->client != NULL;
}

gboolean
dn_cli_note_version (const char *danchid)
{
  if (g_str_equal (danchid, DN_VERSION))
    return FALSE;
  dn_cli_note ("danchid is of version %s, danchi of " DN_VERSION ": restart danchid, guests go on",
               *danchid != '\0' ? danchid : "(unknown)");
  fprintf (stderr, "hint: systemctl restart danchid; where no systemd is: %s/danchid --end\n",
           dn_paths ()->helpers);
  return TRUE;
}

/* A request that danchid did not understand may be of another version. */
static void
explain_misunderstanding (DnCli *cli)
{
  g_autoptr (JsonObject) ok
      = dn_client_call (cli->client, "version", NULL, NULL, &cli->console_fd, NULL);

  if (ok != NULL)
    (void) dn_cli_note_version (dn_answer_text (ok, "version"));
}

JsonObject *
dn_cli_call (DnCli *cli, const char *verb, JsonObject *args, DnClientCall *call, GError **error)
{
  g_autoptr (GError) local = NULL;
  JsonObject *ok;

  if (!dn_cli_connect (cli, error))
    {
      g_clear_pointer (&args, json_object_unref);
      return NULL;
    }
  ok = dn_client_call (cli->client, verb, args, call, &cli->console_fd, &local);
  if (g_error_matches (local, DN_ERROR, DN_ERROR_USAGE))
    explain_misunderstanding (cli);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}

void
dn_cli_report (const GError *error)
{
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", 2);
  g_autofree char *what = dn_escape_text (lines[0], -1);

  /* What went to stdout before comes first on a terminal as well. */
  fflush (stdout);
  fprintf (stderr, "danchi: %s\n", what);
  if (lines[0] != NULL && lines[1] != NULL && *lines[1] != '\0')
    {
      g_autofree char *hint = dn_escape_text (lines[1], -1);

      fprintf (stderr, "hint: %s\n", hint);
    }
}

void
dn_cli_note (const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *shown = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  shown = dn_escape_text (text, -1);
  fflush (stdout);
  fprintf (stderr, "danchi: %s\n", shown);
}

int
dn_cli_status_of (const DnCli *cli, const GError *error)
{
  if (cli->has_process_status)
    return g_error_matches (error, DN_ERROR, DN_ERROR_CANNOT_RUN)   ? DN_EXIT_CANNOT_RUN
           : g_error_matches (error, DN_ERROR, DN_ERROR_NO_COMMAND) ? DN_EXIT_NO_COMMAND
                                                                    : DN_EXIT_DANCHI_FAILED;
  return g_error_matches (error, DN_ERROR, DN_ERROR_USAGE) ? DN_EXIT_USAGE : DN_EXIT_FAILED;
}

int
dn_cli_fail (DnCli *cli, const GError *error)
{
  dn_cli_report (error);
  if (cli->console_fd >= 0)
    {
      g_autofree char *tail = dn_console_tail_read (cli->console_fd, CONSOLE_LINES);

      if (tail != NULL && *tail != '\0')
        fprintf (stderr, "the guest's console (last lines):\n%s", tail);
      dn_fd_clear (&cli->console_fd);
    }
  return dn_cli_status_of (cli, error);
}

int
dn_cli_fail_usage (DnCli *cli, const char *format, ...)
{
  g_autofree char *what = NULL;
  g_autoptr (GError) error = NULL;
  const char *words = cli->command_words;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (words != NULL)
    dn_throw (&error, DN_ERROR_USAGE, "%s: %s\nsee danchi %s --help", words, what, words);
  else
    dn_throw (&error, DN_ERROR_USAGE, "%s\nsee danchi --help", what);
  return dn_cli_fail (cli, error);
}

int
dn_cli_fail_usage_error (DnCli *cli, const GError *error)
{
  g_autoptr (GError) copy = g_error_copy (error);

  g_prefix_error (&copy, "%s: ", cli->command_words);
  return dn_cli_fail (cli, copy);
}

static int
print_and_free (char *page)
{
  fputs (page, stdout);
  g_free (page);
  return DN_EXIT_DONE;
}

/* A command that holds others: its first word chooses; without one it runs itself, where it can. */
static int
run_group (DnCli *cli, const DnCommand *group, char **words)
{
  const DnCommand *command;

  if (group->run != NULL && (words[0] == NULL || words[0][0] == '-'))
    return group->run (cli, words);
  if (words[0] == NULL || g_str_equal (words[0], "--help") || g_str_equal (words[0], "-h"))
    return print_and_free (dn_help_group (group));
  command = dn_command_find (group->children, words[0]);
  if (command == NULL)
    return dn_cli_fail_usage (cli, "'%s': no such command", words[0]);
  g_free (cli->command_words);
  cli->command_words = g_strdup_printf ("%s %s", group->name, command->name);
  cli->command = command;
  return command->run (cli, words + 1);
}

static int
run_command (DnCli *cli, char **words)
{
  const DnCommand *command = dn_command_find (dn_commands, words[0]);

  if (command == NULL)
    return dn_cli_fail_usage (cli, "'%s': no such command", words[0]);
  cli->command = command;
  cli->command_words = g_strdup (command->name);
  cli->has_process_status = command->has_process_status;
  if (command->children != NULL)
    return run_group (cli, command, words + 1);
  return command->run (cli, words + 1);
}

static int
parse_and_run (DnCli *cli, char **words)
{
  gboolean wants_version = FALSE, wants_help = FALSE;
  GOptionEntry entries[DN_OPTIONS_GLOBAL_ROWS + 2];
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) normal = NULL;

  dn_options_fill_global (cli, entries);
  for (guint i = 0; i < DN_OPTIONS_GLOBAL_ROWS - 1; i++)
    if (entries[i].arg_data == &cli->is_verbose)
      entries[i].short_name = 'v'; /* here only: after a command -v is that command's */
  entries[DN_OPTIONS_GLOBAL_ROWS - 1]
      = (GOptionEntry){ "version", 0, 0, G_OPTION_ARG_NONE, &wants_version, NULL, NULL };
  entries[DN_OPTIONS_GLOBAL_ROWS]
      = (GOptionEntry){ "help", 'h', 0, G_OPTION_ARG_NONE, &wants_help, NULL, NULL };
  entries[DN_OPTIONS_GLOBAL_ROWS + 1] = (GOptionEntry) DN_OPTION_END;
  if (!dn_options_parse_plain (entries, DN_OPTIONS_UP_TO_THE_WORDS, words, &normal, &error)
      || !dn_options_check_global (cli, &error))
    return dn_cli_fail_usage (cli, "%s", error->message);
  if (wants_version || (cli->is_verbose && normal[0] == NULL))
    {
      printf ("danchi %s\n", DN_VERSION);
      return DN_EXIT_DONE;
    }
  if (wants_help)
    return print_and_free (dn_help_overview (dn_commands));
  if (normal[0] == NULL)
    {
      g_autofree char *page = dn_help_overview (dn_commands);

      fputs (page, stderr);
      return DN_EXIT_USAGE;
    }
  return run_command (cli, normal);
}

int
dn_cli_main (int argc, char **argv)
{
  DnCli cli;
  int status;

  (void) argc;
  dn_cli_init (&cli);
  status = parse_and_run (&cli, argv + 1);
  /* A full disk behind stdout must not look like success. */
  if (fflush (stdout) != 0 && status == DN_EXIT_DONE)
    {
      dn_cli_note ("writing the output: %s", g_strerror (errno));
      status = DN_EXIT_FAILED;
    }
  dn_cli_clear (&cli);
  return status;
}
