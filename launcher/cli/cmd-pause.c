/* SPDX-License-Identifier: Apache-2.0 */
/* danchi pause and unpause: a container's processes stand still, and go on. */
#include "commands.h"
#include "each.h"

int
dn_cmd_pause (DnCli *cli, char **words)
{
  return dn_each_run_plain (cli, "container-pause", "container", words);
}

int
dn_cmd_unpause (DnCli *cli, char **words)
{
  return dn_each_run_plain (cli, "container-unpause", "container", words);
}
