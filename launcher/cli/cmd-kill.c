/* SPDX-License-Identifier: Apache-2.0 */
/* danchi kill: a signal to the first process of containers. */
#include "../common/signal-name.h"
#include "commands.h"
#include "each.h"
#include "options.h"

int
dn_cmd_kill (DnCli *cli, char **words)
{
  g_autofree char *name = NULL;
  g_auto (GStrv) containers = NULL;
  g_autoptr (JsonObject) args = json_object_new ();
  g_autoptr (GError) error = NULL;
  guint number;
  int status;

  const GOptionEntry entries[] = {
    { "signal", 's', 0, G_OPTION_ARG_FILENAME, &name, "Name or number (KILL)", "SIGNAL" },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &containers,
                         &status))
    return status;
  if (!dn_signal_parse (name != NULL ? name : "KILL", &number, &error))
    return dn_cli_fail_usage (cli, "--signal: %s", error->message);
  json_object_set_string_member (args, "signal", name != NULL ? name : "KILL");
  return dn_each_call (cli, "container-kill", "container", containers, args, NULL);
}
