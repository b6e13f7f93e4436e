/* SPDX-License-Identifier: Apache-2.0 */
/* danchi pull: images from registries into the store.
 *
 * Nothing of the registry is read here: danchid has it fetched in a jail, and a guest unpacks. */
#include <stdio.h>

#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"
#include "pull.h"

typedef struct
{
  char *auth_file;
  gboolean is_quiet;
} PullOptions;

static void
print_pulled (const PullOptions *options, const char *reference, JsonObject *image)
{
  g_autofree char *name = dn_escape_text (reference, -1);
  g_autofree char *id = NULL;

  if (image == NULL)
    return;
  id = dn_escape_text (dn_answer_text (image, "id"), -1);
  if (options->is_quiet)
    dn_print_line (id);
  else
    printf ("Pulled image: %s\nID: %s\n", name, id);
}

int
dn_cmd_pull (DnCli *cli, char **words)
{
  PullOptions options = { 0 };
  g_auto (GStrv) names = NULL;
  g_autoptr (JsonArray) all = json_array_new ();
  int status;

  const GOptionEntry entries[] = {
    { "authfile", 0, 0, G_OPTION_ARG_FILENAME, &options.auth_file,
      "Credentials from this file alone", "FILE" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options.is_quiet, "Print the ids only", NULL },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    {
      status = DN_EXIT_DONE;
      for (char **name = names; *name != NULL && (cli->client != NULL || name == names); name++)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (JsonObject) ok = dn_pull (cli, *name, options.auth_file, &error);
          JsonObject *image = ok != NULL ? dn_answer_nth (dn_answer_array (ok, "images"), 0) : NULL;

          if (ok == NULL)
            status = dn_cli_fail (cli, error);
          else if (cli->is_json && image != NULL)
            json_array_add_object_element (all, json_object_ref (image));
          else
            print_pulled (&options, *name, image);
        }
      if (cli->is_json && cli->client != NULL)
        dn_print_array (all);
    }
  g_free (options.auth_file);
  return status;
}
