/* SPDX-License-Identifier: Apache-2.0 */
/* danchi run: create, start, attach. */
#include <stdio.h>

#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "create-options.h"
#include "options.h"
#include "print.h"
#include "pull.h"
#include "session.h"
#include "trace-file.h"
#include "volume-keys.h"

#define REMOVED_TIMEOUT_US (10 * (gint64) G_USEC_PER_SEC)

typedef struct
{
  DnCreateOptions create;
  DnSessionOptions session;
  DnTraceFile trace;
  gboolean is_detached;
  gboolean sig_proxy; /* accepted: the default */
} RunOptions;

static void
run_options_clear (RunOptions *options)
{
  dn_create_options_clear (&options->create);
  g_clear_pointer (&options->session.detach_keys, g_free);
  dn_trace_file_clear (&options->trace);
}

static JsonObject *
build_args (DnCli *cli, RunOptions *options, char **words, GError **error)
{
  g_autoptr (JsonObject) args = NULL;

  options->session.wants_stdin = options->create.wants_stdin && !options->is_detached;
  options->session.has_terminal = options->create.has_terminal;
  if (!dn_session_check (&options->session, error))
    return NULL;
  args = dn_create_options_to_args (cli, &options->create, words, error);
  if (args == NULL)
    return NULL;
  if (!options->is_detached)
    dn_session_fill_args (&options->session, args);
  if (options->trace.path != NULL)
    json_object_set_boolean_member (args, "trace", TRUE);
  return g_steal_pointer (&args);
}

/* --rm: the name is free again when this command ends.  danchid removes the container whether
 * anybody waits or not; so a wait that fails, or takes too long, is none of the user's concern. */
static void
wait_removed (DnCli *cli, const char *id)
{
  DnClientCall call = { .deadline_us = g_get_real_time () + REMOVED_TIMEOUT_US };
  JsonObject *args = dn_args_new ("container", id);
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (GError) ignored = NULL;

  json_object_set_boolean_member (args, "removed", TRUE);
  ok = dn_cli_call (cli, "container-wait", args, &call, &ignored);
  dn_fd_list_clear (&call.ret_fds);
}

static int
run_session (DnCli *cli, RunOptions *options, JsonObject *ok, DnFdList *fds)
{
  int status;

  options->session.process = dn_answer_text (ok, "name");
  status = dn_session_run (cli, &options->session, fds);
  dn_trace_file_mark (&options->trace, "attach", options->session.ret_exited_us);
  dn_trace_file_mark (&options->trace, "exit", 0);
  if (options->create.is_removed_at_exit && options->session.ret_exited_us != 0)
    {
      wait_removed (cli, dn_answer_text (ok, "id"));
      dn_trace_file_mark (&options->trace, "remove", 0);
    }
  return status;
}

static int
run (DnCli *cli, RunOptions *options, char **words)
{
  DnSecretOffer offer = { .cli = cli };
  DnClientCall call = { .event = dn_secret_sources_answer, .data = &offer };
  DnFdList keys = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) trace_error = NULL;
  g_autoptr (JsonObject) args = build_args (cli, options, words, &error);
  g_autoptr (JsonObject) ok = NULL;
  int status = DN_EXIT_DONE;

  if (args == NULL || !dn_pull_check_policy (options->create.pull, &error)
      || !dn_volume_keys_open (options->create.volume_keys, args, &keys, &error))
    {
      dn_fd_list_clear (&keys);
      return dn_cli_fail_usage_error (cli, error);
    }
  call.fds = &keys;
  if (dn_cli_connect (cli, &error) && dn_pull_before (cli, options->create.pull, words[0], &error))
    {
      offer.sources = options->create.secret_sources;
      dn_trace_file_mark (&options->trace, "connect", 0);
      ok = dn_cli_call (cli, "container-run", g_steal_pointer (&args), &call, &error);
      dn_trace_file_mark (&options->trace, "request", 0);
    }
  if (ok == NULL)
    status = dn_cli_fail (cli, error);
  else if (!options->is_detached)
    status = run_session (cli, options, ok, &call.ret_fds);
  else if (cli->is_json)
    dn_print_object (ok);
  else
    dn_print_line (dn_answer_text (ok, "id"));
  dn_fd_list_clear (&call.ret_fds);
  dn_fd_list_clear (&keys);
  if (!dn_trace_file_write (&options->trace, ok, &trace_error))
    return dn_cli_fail (cli, trace_error);
  return status;
}

int
dn_cmd_run (DnCli *cli, char **words)
{
  RunOptions options = { 0 };
  g_autofree char *trace = NULL;
  g_auto (GStrv) rest = NULL;
  int status;

  const GOptionEntry own[] = {
    { "detach", 'd', 0, G_OPTION_ARG_NONE, &options.is_detached,
      "Start it, print its id, leave it running", NULL },
    { "detach-keys", 0, 0, G_OPTION_ARG_FILENAME, &options.session.detach_keys,
      "Leave with these keys (ctrl-p,ctrl-q)", "KEYS" },
    { "sig-proxy", 0, 0, G_OPTION_ARG_NONE, &options.sig_proxy,
      "Pass signals on where there is no terminal (the default)", NULL },
    { "no-sig-proxy", 0, 0, G_OPTION_ARG_NONE, &options.session.no_signals, "Keep signals here",
      NULL },
    { "volume-key", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.create.volume_keys,
      "The key of an encrypted volume", "NAME=FILE" },
    { "trace", 0, 0, G_OPTION_ARG_FILENAME, &trace, "Write the phases of the start as JSON",
      "FILE" },
    DN_OPTION_END,
  };
  g_autofree GOptionEntry *entries = dn_create_options_rows (&options.create, own);

  if (dn_options_parse (cli, entries, DN_OPTIONS_UP_TO_THE_WORDS, words, 1, G_MAXUINT, &rest,
                        &status))
    {
      dn_trace_file_init (&options.trace, g_steal_pointer (&trace));
      status = run (cli, &options, rest);
    }
  run_options_clear (&options);
  return status;
}
