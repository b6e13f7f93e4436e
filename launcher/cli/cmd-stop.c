/* SPDX-License-Identifier: Apache-2.0 */
/* danchi stop and restart: the two that give a container time to end. */
#include "../common/signal-name.h"
#include "commands.h"
#include "each.h"
#include "options.h"
#include "units.h"

static int
end_each (DnCli *cli, const char *verb, JsonObject *args, char **words)
{
  g_autofree char *timeout = NULL, *signal = NULL;
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  gint64 seconds;
  guint number;
  int status;

  const GOptionEntry entries[] = {
    { "time", 't', 0, G_OPTION_ARG_FILENAME, &timeout,
      "How long it may take until it is killed; -1: as long as it takes", "SECONDS" },
    { "timeout", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &timeout, NULL, NULL },
    { "signal", 's', 0, G_OPTION_ARG_FILENAME, &signal,
      "What it is sent, in place of its own stop signal", "SIGNAL" },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  if (timeout != NULL && !dn_units_parse_int (timeout, -1, DN_EACH_PATIENT_S, &seconds, &error))
    return dn_cli_fail_usage (cli, "--time: %s", error->message);
  if (signal != NULL && !dn_signal_parse (signal, &number, &error))
    return dn_cli_fail_usage (cli, "--signal: %s", error->message);
  if (timeout != NULL)
    json_object_set_int_member (args, "timeout_s", seconds < 0 ? DN_EACH_PATIENT_S : seconds);
  if (signal != NULL)
    json_object_set_string_member (args, "signal", signal);
  return dn_each_call (cli, verb, "container", names, args, NULL);
}

int
dn_cmd_stop (DnCli *cli, char **words)
{
  g_autoptr (JsonObject) args = json_object_new ();

  return end_each (cli, "container-stop", args, words);
}

int
dn_cmd_restart (DnCli *cli, char **words)
{
  g_autoptr (JsonObject) args = json_object_new ();

  if (cli->allow_emulation)
    json_object_set_boolean_member (args, "allow_emulation", TRUE);
  return end_each (cli, "container-restart", args, words);
}
