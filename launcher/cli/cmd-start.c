/* SPDX-License-Identifier: Apache-2.0 */
/* danchi start: containers that exist; with -a their output here and their exit status. */
#include "answer.h"
#include "commands.h"
#include "each.h"
#include "options.h"
#include "secret-source.h"
#include "session.h"
#include "volume-keys.h"

typedef struct
{
  gboolean is_attached;
  gboolean sig_proxy;
  char **volume_keys;
  DnSessionOptions session;
  char **secrets; /* owned */
  char **configs;
  GPtrArray *sources; /* owned; what came of them */
} StartOptions;

/* Whether the container has a terminal decides how the user's must be: asked before the start, so
 * that nothing it writes is lost while it is found out. */
static gboolean
ask_terminal (DnCli *cli, const char *name, gboolean *ret_has_terminal, GError **error)
{
  JsonObject *args = dn_args_new ("name", name);
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *object, *options;

  json_object_set_string_member (args, "kind", "container");
  ok = dn_cli_call (cli, "inspect", args, NULL, error);
  if (ok == NULL)
    return FALSE;
  object = dn_answer_object (ok, "object");
  options = object != NULL ? dn_answer_object (object, "options") : NULL;
  *ret_has_terminal = options != NULL && dn_answer_is (options, "has_terminal");
  return TRUE;
}

static int
start_attached (DnCli *cli, StartOptions *options, const char *name)
{
  DnSecretOffer offer = { options->sources, cli };
  DnClientCall call = { .event = dn_secret_sources_answer, .data = &offer };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (JsonObject) args = dn_args_new ("container", name);
  DnFdList keys = { 0 };
  int status;

  if (!ask_terminal (cli, name, &options->session.has_terminal, &error)
      || !dn_session_check (&options->session, &error)
      || !dn_volume_keys_open (options->volume_keys, args, &keys, &error))
    {
      dn_fd_list_clear (&keys);
      return dn_cli_fail (cli, error);
    }
  call.fds = &keys;
  dn_session_fill_args (&options->session, args);
  dn_secret_sources_fill_args (options->sources, DN_SECRETS_CONTENTS, args);
  if (cli->allow_emulation)
    json_object_set_boolean_member (args, "allow_emulation", TRUE);
  ok = dn_cli_call (cli, "container-start", g_steal_pointer (&args), &call, &error);
  dn_fd_list_clear (&keys);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  options->session.process = name;
  status = dn_session_run (cli, &options->session, &call.ret_fds);
  dn_fd_list_clear (&call.ret_fds);
  return status;
}

static int
start_detached (DnCli *cli, const StartOptions *options, char **names)
{
  DnSecretOffer offer = { options->sources, cli };
  DnClientCall call = { .event = dn_secret_sources_answer, .data = &offer };
  g_autoptr (JsonObject) args = json_object_new ();
  g_autoptr (GError) error = NULL;
  DnFdList keys = { 0 };
  int status;

  if (cli->allow_emulation)
    json_object_set_boolean_member (args, "allow_emulation", TRUE);
  dn_secret_sources_fill_args (options->sources, DN_SECRETS_CONTENTS, args);
  call.fds = &keys;
  if (dn_volume_keys_open (options->volume_keys, args, &keys, &error))
    status = dn_each_call_with (cli, "container-start", "container", names, args, &call);
  else
    status = dn_cli_fail (cli, error);
  dn_fd_list_clear (&keys);
  return status;
}

static int
start (DnCli *cli, StartOptions *options, char **names)
{
  gboolean is_attached = options->is_attached || options->session.wants_stdin;
  g_autoptr (GError) error = NULL;

  cli->has_process_status = is_attached;
  if (is_attached && names[1] != NULL)
    return dn_cli_fail_usage (cli, "'%s': only one can be attached to", names[1]);
  options->sources
      = dn_secret_sources_read (options->secrets, options->configs, DN_SECRETS_CONTENTS,
                                options->session.wants_stdin, &error);
  if (options->sources == NULL)
    return dn_cli_fail_usage_error (cli, error);
  if (options->sources->len > 0 && names[1] != NULL)
    return dn_cli_fail_usage (cli, "'%s': secrets can be given to one container at a time",
                              names[1]);
  return is_attached ? start_attached (cli, options, names[0])
                     : start_detached (cli, options, names);
}

int
dn_cmd_start (DnCli *cli, char **words)
{
  StartOptions options = { 0 };
  g_auto (GStrv) names = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "attach", 'a', 0, G_OPTION_ARG_NONE, &options.is_attached,
      "Show its output and end with its exit status", NULL },
    { "interactive", 'i', 0, G_OPTION_ARG_NONE, &options.session.wants_stdin,
      "Pass standard input on as well", NULL },
    { "volume-key", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.volume_keys,
      "The key of an encrypted volume", "NAME=FILE" },
    { "detach-keys", 0, 0, G_OPTION_ARG_FILENAME, &options.session.detach_keys,
      "Leave with these keys (ctrl-p,ctrl-q)", "KEYS" },
    { "sig-proxy", 0, 0, G_OPTION_ARG_NONE, &options.sig_proxy,
      "Pass signals on where there is no terminal (the default)", NULL },
    { "secret", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.secrets,
      "The content of one of its secrets", "NAME=FILE|NAME,KEY=VALUE" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.configs,
      "Likewise of a configuration file", "NAME=FILE|NAME,KEY=VALUE" },
    { "no-sig-proxy", 0, 0, G_OPTION_ARG_NONE, &options.session.no_signals, "Keep signals here",
      NULL },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    status = start (cli, &options, names);
  g_clear_pointer (&options.sources, g_ptr_array_unref);
  g_strfreev (options.secrets);
  g_strfreev (options.configs);
  g_free (options.session.detach_keys);
  g_strfreev (options.volume_keys);
  return status;
}
