/* SPDX-License-Identifier: Apache-2.0 */
/* danchi tag and untag: names of images come and go, images stay. */
#include "answer.h"
#include "commands.h"
#include "each.h"
#include "options.h"
#include "print.h"

int
dn_cmd_tag (DnCli *cli, char **words)
{
  const GOptionEntry none[] = { DN_OPTION_END };
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args;
  int status;

  if (!dn_options_parse (cli, none, DN_OPTIONS_ANYWHERE, words, 2, 2, &names, &status))
    return status;
  args = dn_args_new ("image", names[0]);
  dn_args_set_text (args, "name", names[1]);
  ok = dn_cli_call (cli, "image-tag", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  return DN_EXIT_DONE;
}

static void
print_untagged (const char *name, JsonObject *ok)
{
  JsonArray *removed = dn_answer_array (ok, "removed");

  (void) name;
  for (guint i = 0; i < dn_answer_length (removed); i++)
    if (json_node_get_value_type (json_array_get_element (removed, i)) == G_TYPE_STRING)
      dn_print_line (json_array_get_string_element (removed, i));
}

int
dn_cmd_untag (DnCli *cli, char **words)
{
  const GOptionEntry none[] = { DN_OPTION_END };
  g_auto (GStrv) names = NULL;
  int status;

  if (!dn_options_parse (cli, none, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  return dn_each_call (cli, "image-untag", "name", names, NULL, print_untagged);
}
