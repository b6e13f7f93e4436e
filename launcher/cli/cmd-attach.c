/* SPDX-License-Identifier: Apache-2.0 */
/* danchi attach: to a container's first process, while it runs. */
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "session.h"

typedef struct
{
  gboolean is_without_stdin;
  gboolean sig_proxy;
  DnSessionOptions session;
} AttachOptions;

static int
attach (DnCli *cli, AttachOptions *options, const char *name)
{
  DnClientCall call = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args;
  int status;

  options->session.wants_stdin = !options->is_without_stdin;
  if (!dn_session_check (&options->session, &error))
    return dn_cli_fail_usage_error (cli, error);
  args = dn_args_new ("container", name);
  dn_session_fill_attach (&options->session, args);
  ok = dn_cli_call (cli, "container-attach", args, &call, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  options->session.process = name;
  options->session.has_terminal = dn_answer_is (ok, "terminal");
  if (!dn_session_check (&options->session, &error))
    {
      dn_fd_list_clear (&call.ret_fds);
      return dn_cli_fail_usage_error (cli, error);
    }
  status = dn_session_run (cli, &options->session, &call.ret_fds);
  dn_fd_list_clear (&call.ret_fds);
  return status;
}

int
dn_cmd_attach (DnCli *cli, char **words)
{
  AttachOptions options = { 0 };
  g_auto (GStrv) names = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "no-stdin", 0, 0, G_OPTION_ARG_NONE, &options.is_without_stdin,
      "Do not pass standard input on", NULL },
    { "detach-keys", 0, 0, G_OPTION_ARG_FILENAME, &options.session.detach_keys,
      "Leave with these keys (ctrl-p,ctrl-q)", "KEYS" },
    { "sig-proxy", 0, 0, G_OPTION_ARG_NONE, &options.sig_proxy,
      "Pass signals on where there is no terminal (the default)", NULL },
    { "no-sig-proxy", 0, 0, G_OPTION_ARG_NONE, &options.session.no_signals, "Keep signals here",
      NULL },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, 1, &names, &status))
    status = attach (cli, &options, names[0]);
  g_free (options.session.detach_keys);
  return status;
}
