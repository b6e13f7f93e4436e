/* SPDX-License-Identifier: Apache-2.0 */
/* danchi update: a container's limits, while it runs, and its restart policy. */
#include "answer.h"
#include "commands.h"
#include "each.h"
#include "limit-options.h"
#include "options.h"

static int
update (DnCli *cli, const DnLimitOptions *options, const char *restart, char **names)
{
  g_autoptr (JsonObject) args = json_object_new ();
  g_autoptr (GError) error = NULL;

  if (!dn_limit_options_to_args (options, args, &error))
    return dn_cli_fail_usage_error (cli, error);
  dn_args_set_text (args, "restart", restart);
  if (json_object_get_size (args) == 0)
    return dn_cli_fail_usage (cli, "a limit or --restart must be given");
  return dn_each_call (cli, "container-update", "container", names, args, NULL);
}

int
dn_cmd_update (DnCli *cli, char **words)
{
  DnLimitOptions options = { 0 };
  g_autofree char *restart = NULL;
  GOptionEntry entries[1 + DN_LIMIT_OPTIONS_ROWS] = {
    { "restart", 0, 0, G_OPTION_ARG_FILENAME, &restart,
      "Whether it is started again when it ends: no, always, unless-stopped, on-failure[:N]",
      "POLICY" },
  };
  g_auto (GStrv) names = NULL;
  int status;

  dn_limit_options_fill (&options, entries + 1);
  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    status = update (cli, &options, restart, names);
  dn_limit_options_clear (&options);
  return status;
}
