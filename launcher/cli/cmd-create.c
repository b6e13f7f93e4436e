/* SPDX-License-Identifier: Apache-2.0 */
/* danchi create: a container, not started. */
#include "answer.h"
#include "commands.h"
#include "create-options.h"
#include "options.h"
#include "print.h"
#include "pull.h"

static int
create (DnCli *cli, DnCreateOptions *options, char **words)
{
  g_autoptr (GError) error = NULL;
  JsonObject *args = dn_create_options_to_args (cli, options, words, &error);
  g_autoptr (JsonObject) ok = NULL;

  if (args == NULL || !dn_pull_check_policy (options->pull, &error))
    {
      g_clear_pointer (&args, json_object_unref);
      return dn_cli_fail_usage_error (cli, error);
    }
  if (!dn_pull_before (cli, options->pull, words[0], &error))
    {
      json_object_unref (args);
      return dn_cli_fail (cli, error);
    }
  ok = dn_cli_call (cli, "container-create", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  else
    dn_print_line (dn_answer_text (ok, "id"));
  return DN_EXIT_DONE;
}

int
dn_cmd_create (DnCli *cli, char **words)
{
  DnCreateOptions options = { .secrets_use = DN_SECRETS_NAMED };
  const GOptionEntry none[] = { DN_OPTION_END };
  g_autofree GOptionEntry *entries = dn_create_options_rows (&options, none);
  g_auto (GStrv) rest = NULL;
  int status;

  if (dn_options_parse (cli, entries, DN_OPTIONS_UP_TO_THE_WORDS, words, 1, G_MAXUINT, &rest,
                        &status))
    status = create (cli, &options, rest);
  dn_create_options_clear (&options);
  return status;
}
