/* SPDX-License-Identifier: Apache-2.0 */
/* danchi update: a container's limits, while it runs. */
#include "commands.h"
#include "each.h"
#include "limit-options.h"
#include "options.h"

static int
update (DnCli *cli, const DnLimitOptions *options, char **names)
{
  g_autoptr (JsonObject) args = json_object_new ();
  g_autoptr (GError) error = NULL;

  if (!dn_limit_options_to_args (options, args, &error))
    return dn_cli_fail_usage_error (cli, error);
  if (json_object_get_size (args) == 0)
    return dn_cli_fail_usage (cli, "a limit must be given");
  return dn_each_call (cli, "container-update", "container", names, args, NULL);
}

int
dn_cmd_update (DnCli *cli, char **words)
{
  DnLimitOptions options = { 0 };
  GOptionEntry entries[DN_LIMIT_OPTIONS_ROWS];
  g_auto (GStrv) names = NULL;
  int status;

  dn_limit_options_fill (&options, entries);
  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    status = update (cli, &options, names);
  dn_limit_options_clear (&options);
  return status;
}
