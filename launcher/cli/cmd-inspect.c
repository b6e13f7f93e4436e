/* SPDX-License-Identifier: Apache-2.0 */
/* danchi inspect, context inspect, image inspect: all that is known, always as a JSON array. */
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"

/* @kind: NULL for whatever has the name. */
static int
inspect (DnCli *cli, const char *kind, char **names)
{
  g_autoptr (JsonArray) objects = json_array_new ();
  int status = DN_EXIT_DONE;

  for (; *names != NULL; names++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) ok = NULL;
      JsonObject *args = dn_args_new ("name", *names), *object;

      dn_args_set_text (args, "kind", kind);
      ok = dn_cli_call (cli, "inspect", args, NULL, &error);
      object = ok != NULL ? dn_answer_object (ok, "object") : NULL;
      if (object != NULL)
        json_array_add_object_element (objects, json_object_ref (object));
      else if (ok == NULL)
        {
          status = dn_cli_fail (cli, error);
          if (cli->client == NULL)
            return status;
        }
    }
  dn_print_array (objects);
  return status;
}

static int
parse_and_inspect (DnCli *cli, const char *kind, char **words)
{
  const GOptionEntry none[] = { DN_OPTION_END };
  g_auto (GStrv) names = NULL;
  int status;

  if (!dn_options_parse (cli, none, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  return inspect (cli, kind, names);
}

int
dn_cmd_inspect (DnCli *cli, char **words)
{
  g_autofree char *kind = NULL;
  g_auto (GStrv) names = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "type", 0, 0, G_OPTION_ARG_FILENAME, &kind, "Only a container, context or image", "KIND" },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  return inspect (cli, kind, names);
}

int
dn_cmd_context_inspect (DnCli *cli, char **words)
{
  return parse_and_inspect (cli, "context", words);
}

int
dn_cmd_image_inspect (DnCli *cli, char **words)
{
  return parse_and_inspect (cli, "image", words);
}
