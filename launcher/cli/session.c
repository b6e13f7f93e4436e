/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <signal.h>
#include <stdio.h>

#include "../common/error.h"
#include "answer.h"
#include "terminal.h"

/* A victim of longer ago is not what this end is about. */
#define OOM_FRESH_US (10 * (gint64) G_USEC_PER_SEC)

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

/* What danchid knows of the container; NULL where it is gone already (--rm). */
static JsonObject *
ask_container (DnCli *cli, const char *name)
{
  JsonObject *args = dn_args_new ("name", name);
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (GError) ignored = NULL;
  JsonObject *object;

  json_object_set_string_member (args, "kind", "container");
  ok = dn_cli_call (cli, "inspect", args, NULL, &ignored);
  object = ok != NULL ? dn_answer_object (ok, "object") : NULL;
  return object != NULL ? json_object_ref (object) : NULL;
}

/* How often the container was over its memory is in each end: an old one is no news. */
static void
report_oom (DnCli *cli, const DnSessionOptions *options)
{
  g_autoptr (JsonObject) container = ask_container (cli, options->process);
  JsonObject *oom = container != NULL ? dn_answer_object (container, "oom") : NULL;
  JsonObject *created = container != NULL ? dn_answer_object (container, "options") : NULL;
  gint64 limit = created != NULL ? dn_answer_int (created, "memory_bytes", 0) : 0;
  g_autofree char *of
      = limit > 0 ? g_strdup_printf ("its --memory is %" G_GINT64_FORMAT " MiB", limit >> 20)
                  : g_strdup ("see --memory and --guest-memory");
  const char *program = oom != NULL ? dn_answer_text (oom, "program") : "";

  if (*program == '\0')
    dn_cli_note ("out of memory: the guest's kernel ended a process of it: %s", of);
  else if (g_get_real_time () - dn_answer_int (oom, "time_us", 0) < OOM_FRESH_US)
    dn_cli_note ("out of memory: the guest's kernel ended %s, which had %" G_GINT64_FORMAT
                 " MiB: %s",
                 program, dn_answer_int (oom, "memory_bytes", 0) >> 20, of);
}

static int
report_result (DnCli *cli, const DnSessionOptions *options, const DnSessionResult *result)
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
      /* A shell says the number of its child's signal in its own status. */
      if (result->oom_kills > 0
          && (result->signal == SIGKILL || result->code == DN_EXIT_SIGNAL_BASE + SIGKILL))
        report_oom (cli, options);
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
  status = report_result (cli, options, &result);
  g_free (result.reason);
  return status;
}
