/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <signal.h>
#include <stdio.h>

#include "../common/error.h"
#include "terminal.h"

static gboolean
parse_keys (const DnSessionOptions *options, DnDetachKeys *ret_keys, GError **error)
{
  const char *text = options->detach_keys != NULL ? options->detach_keys : DN_DETACH_KEYS_DEFAULT;

  if (dn_detach_keys_parse (text, ret_keys, error))
    return TRUE;
  g_prefix_error (error, "--detach-keys: ");
  return FALSE;
}

gboolean
dn_session_check (const DnSessionOptions *options, GError **error)
{
  DnDetachKeys keys;

  if (options->has_terminal && options->wants_stdin && !dn_terminal_is_there ())
    return dn_throw (error, DN_ERROR_USAGE,
                     "the input device is not a TTY\n"
                     "leave -t out where input comes from a pipe or a file");
  return parse_keys (options, &keys, error);
}

void
dn_session_fill_attach (const DnSessionOptions *options, JsonObject *args)
{
  JsonArray *attach = json_array_new ();

  if (options->wants_stdin)
    json_array_add_string_element (attach, "stdin");
  json_array_add_string_element (attach, "stdout");
  json_array_add_string_element (attach, "stderr");
  json_object_set_array_member (args, "attach", attach);
}

void
dn_session_fill_args (const DnSessionOptions *options, JsonObject *args)
{
  guint16 rows, columns;

  dn_session_fill_attach (options, args);
  dn_terminal_get_size (&rows, &columns);
  if (options->has_terminal && rows > 0 && columns > 0)
    {
      json_object_set_int_member (args, "rows", rows);
      json_object_set_int_member (args, "columns", columns);
    }
}

static int
report_result (const DnSessionOptions *options, const DnSessionResult *result)
{
  switch (result->outcome)
    {
    case DN_SESSION_DETACHED:
      /* The cursor is somewhere in the process's output. */
      fputc ('\n', stderr);
      dn_cli_note ("left; it goes on: danchi attach %s", options->process);
      return DN_EXIT_DONE;
    case DN_SESSION_LOST:
      dn_cli_note ("session lost: %s", result->reason != NULL ? result->reason : "no reason given");
      return DN_EXIT_DANCHI_FAILED;
    case DN_SESSION_ENDED:
      if (result->signal == SIGKILL && result->oom_kills > 0)
        dn_cli_note ("killed by its memory limit (see --memory)");
      if (result->signal == SIGSYS)
        dn_cli_note ("ended by a system call that its filter refuses: danchi events says which");
      return result->signal != 0 ? DN_EXIT_SIGNAL_BASE + (int) (result->signal & 0x7f)
                                 : (int) (result->code & 0xff);
    }
  return DN_EXIT_DANCHI_FAILED;
}

int
dn_session_run (DnCli *cli, DnSessionOptions *options, DnFdList *fds)
{
  DnSessionPlan plan = { .fds = fds,
                         .has_stdin = options->wants_stdin,
                         .is_resizing = options->has_terminal,
                         .sends_signals = !options->no_signals };
  DnSessionResult result = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean is_fine = parse_keys (options, &plan.detach, &error);
  int status;

  plan.is_raw = options->has_terminal && options->wants_stdin && dn_terminal_is_there ();
  is_fine = is_fine && (!plan.is_raw || dn_terminal_make_raw (&error));
  if (!is_fine)
    dn_fd_list_clear (fds);
  is_fine = is_fine && dn_session_pump_run (&plan, &result, &error);
  dn_terminal_restore ();
  if (!is_fine)
    return dn_cli_fail (cli, error);
  options->ret_exited_us = result.exited_us;
  status = report_result (options, &result);
  g_free (result.reason);
  return status;
}
