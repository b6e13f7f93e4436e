/* SPDX-License-Identifier: Apache-2.0 */
/* danchi stop and restart: the two that give a container time to end. */
#include "commands.h"
#include "each.h"

#define TIME_HELP "How long it may take until it is killed; -1: as it was created"

int
dn_cmd_stop (DnCli *cli, char **words)
{
  g_autoptr (JsonObject) args = json_object_new ();

  return dn_each_run_timed (cli, "container-stop", "container", TIME_HELP, args, words);
}

int
dn_cmd_restart (DnCli *cli, char **words)
{
  g_autoptr (JsonObject) args = json_object_new ();

  if (cli->allow_emulation)
    json_object_set_boolean_member (args, "allow_emulation", TRUE);
  return dn_each_run_timed (cli, "container-restart", "container", TIME_HELP, args, words);
}
