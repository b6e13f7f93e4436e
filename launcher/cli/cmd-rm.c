/* SPDX-License-Identifier: Apache-2.0 */
/* danchi rm: containers that have ended; with -f also running ones. */
#include "commands.h"
#include "each.h"
#include "options.h"

int
dn_cmd_rm (DnCli *cli, char **words)
{
  gboolean is_forced = FALSE, with_volumes = FALSE;
  g_auto (GStrv) names = NULL;
  g_autoptr (JsonObject) args = json_object_new ();
  int status;

  const GOptionEntry entries[] = {
    { "force", 'f', 0, G_OPTION_ARG_NONE, &is_forced, "Kill it first where it runs", NULL },
    { "volumes", 'v', 0, G_OPTION_ARG_NONE, &with_volumes, "With its volumes that have no name",
      NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  json_object_set_boolean_member (args, "force", is_forced);
  if (with_volumes)
    json_object_set_boolean_member (args, "volumes", TRUE);
  return dn_each_call (cli, "container-remove", "container", names, args, NULL);
}
