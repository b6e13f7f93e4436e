/* SPDX-License-Identifier: Apache-2.0 */
/* danchi image rm (rmi); image inspect is in cmd-inspect.c, the others have files of their own. */
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"

static int
remove_image (DnCli *cli, const char *name, gboolean is_forced, JsonArray *all)
{
  JsonObject *args = dn_args_new ("image", name);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonArray *removed;

  json_object_set_boolean_member (args, "force", is_forced);
  ok = dn_cli_call (cli, "image-remove", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  removed = dn_answer_array (ok, "removed");
  for (guint i = 0; i < dn_answer_length (removed); i++)
    {
      JsonNode *node = json_array_get_element (removed, i);

      json_array_add_element (all, json_node_copy (node));
      if (!cli->is_json && json_node_get_value_type (node) == G_TYPE_STRING)
        dn_print_line (json_node_get_string (node));
    }
  return DN_EXIT_DONE;
}

int
dn_cmd_image_remove (DnCli *cli, char **words)
{
  gboolean is_forced = FALSE;
  g_auto (GStrv) names = NULL;
  g_autoptr (JsonArray) removed = json_array_new ();
  int status;

  const GOptionEntry entries[] = {
    { "force", 'f', 0, G_OPTION_ARG_NONE, &is_forced,
      "Also with containers made from it that do "
      "not run",
      NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  status = DN_EXIT_DONE;
  for (char **name = names; *name != NULL && (cli->client != NULL || name == names); name++)
    {
      int one = remove_image (cli, *name, is_forced, removed);

      status = one != DN_EXIT_DONE ? one : status;
    }
  if (cli->is_json && cli->client != NULL)
    dn_print_array (removed);
  return status;
}
