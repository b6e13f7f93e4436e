/* SPDX-License-Identifier: Apache-2.0 */
/* danchi exec: one more process in a running container. */
#include "answer.h"
#include "commands.h"
#include "env-file.h"
#include "options.h"
#include "print.h"
#include "session.h"

typedef struct
{
  gboolean is_detached;
  gboolean sig_proxy;
  char **env;
  char **env_files;
  char *user;
  char *working_dir;
  DnSessionOptions session;
} ExecOptions;

static JsonObject *
build_args (ExecOptions *options, char **words, GError **error)
{
  g_auto (GStrv) env = dn_env_collect (options->env_files, options->env, error);
  JsonObject *args;

  if (env == NULL)
    return NULL;
  if (options->is_detached)
    options->session.wants_stdin = FALSE;
  if (!dn_session_check (&options->session, error))
    return NULL;
  args = dn_args_new ("container", words[0]);
  dn_args_set_list (args, "command", words + 1);
  if (env[0] != NULL)
    dn_args_set_list (args, "env", env);
  dn_args_set_text (args, "user", options->user);
  dn_args_set_text (args, "working_dir", options->working_dir);
  if (options->session.has_terminal)
    json_object_set_boolean_member (args, "terminal", TRUE);
  if (!options->is_detached)
    dn_session_fill_args (&options->session, args);
  return args;
}

static int
exec (DnCli *cli, ExecOptions *options, char **words)
{
  DnClientCall call = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args = build_args (options, words, &error);
  int status = DN_EXIT_DONE;

  if (args == NULL)
    return dn_cli_fail_usage_error (cli, error);
  ok = dn_cli_call (cli, "container-exec", args, &call, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  options->session.process = words[0];
  if (!options->is_detached)
    status = dn_session_run (cli, &options->session, &call.ret_fds);
  else if (cli->is_json)
    dn_print_object (ok);
  dn_fd_list_clear (&call.ret_fds);
  return status;
}

int
dn_cmd_exec (DnCli *cli, char **words)
{
  ExecOptions options = { 0 };
  g_auto (GStrv) rest = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "interactive", 'i', 0, G_OPTION_ARG_NONE, &options.session.wants_stdin,
      "Pass standard input on", NULL },
    { "tty", 't', 0, G_OPTION_ARG_NONE, &options.session.has_terminal,
      "Give the process a terminal", NULL },
    { "detach", 'd', 0, G_OPTION_ARG_NONE, &options.is_detached, "Leave it running", NULL },
    { "user", 'u', 0, G_OPTION_ARG_FILENAME, &options.user, "Name or number, and group",
      "USER[:GROUP]" },
    { "workdir", 'w', 0, G_OPTION_ARG_FILENAME, &options.working_dir, "Working directory", "PATH" },
    { "env", 'e', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.env,
      "Set a variable; NAME alone takes its value here", "NAME[=VALUE]" },
    { "env-file", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.env_files,
      "Read variables from a file", "FILE" },
    { "detach-keys", 0, 0, G_OPTION_ARG_FILENAME, &options.session.detach_keys,
      "Leave with these keys (ctrl-p,ctrl-q)", "KEYS" },
    { "sig-proxy", 0, 0, G_OPTION_ARG_NONE, &options.sig_proxy,
      "Pass signals on where there is no terminal (the default)", NULL },
    { "no-sig-proxy", 0, 0, G_OPTION_ARG_NONE, &options.session.no_signals, "Keep signals here",
      NULL },
    DN_OPTION_UNBUILT ("privileged", 0),
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_UP_TO_THE_WORDS, words, 2, G_MAXUINT, &rest,
                        &status))
    status = exec (cli, &options, rest);
  g_strfreev (options.env);
  g_strfreev (options.env_files);
  g_free (options.user);
  g_free (options.working_dir);
  g_free (options.session.detach_keys);
  return status;
}
