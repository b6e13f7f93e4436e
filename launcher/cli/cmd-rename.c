/* SPDX-License-Identifier: Apache-2.0 */
/* danchi rename. */
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"

int
dn_cmd_rename (DnCli *cli, char **words)
{
  const GOptionEntry none[] = { DN_OPTION_END };
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args;
  int status;

  if (!dn_options_parse (cli, none, DN_OPTIONS_ANYWHERE, words, 2, 2, &names, &status))
    return status;
  args = dn_args_new ("container", names[0]);
  json_object_set_string_member (args, "name", names[1]);
  ok = dn_cli_call (cli, "container-rename", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  return DN_EXIT_DONE;
}
