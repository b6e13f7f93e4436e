/* SPDX-License-Identifier: Apache-2.0 */
/* danchi stop and restart: the two that give a container time to end. */
#include "commands.h"
#include "each.h"
#include "options.h"
#include "volume-keys.h"

#define TIME_HELP "How long it may take until it is killed; -1: as it was created"

int
dn_cmd_stop (DnCli *cli, char **words)
{
  g_autoptr (JsonObject) args = json_object_new ();

  return dn_each_run_timed (cli, "container-stop", "container", TIME_HELP, args, words);
}

static int
restart (DnCli *cli, char **texts, char **names, JsonObject *args)
{
  g_autoptr (GError) error = NULL;
  DnFdList keys = DN_FD_LIST_INIT;
  DnClientCall call = { .fds = &keys };
  int status;

  if (cli->allow_emulation)
    json_object_set_boolean_member (args, "allow_emulation", TRUE);
  if (dn_volume_keys_open (texts, args, &keys, &error))
    status = dn_each_call_with (cli, "container-restart", "container", names, args, &call);
  else
    status = dn_cli_fail (cli, error);
  dn_fd_list_clear (&keys);
  return status;
}

int
dn_cmd_restart (DnCli *cli, char **words)
{
  g_autoptr (JsonObject) args = json_object_new ();
  g_autofree char *timeout = NULL;
  g_auto (GStrv) names = NULL, keys = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "time", 't', 0, G_OPTION_ARG_FILENAME, &timeout, TIME_HELP, "SECONDS" },
    { "volume-key", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &keys,
      "The key of an encrypted volume, where its guest is gone", "NAME=FILE" },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status)
      || !dn_each_read_time (cli, timeout, args, &status))
    return status;
  return restart (cli, keys, names, args);
}
