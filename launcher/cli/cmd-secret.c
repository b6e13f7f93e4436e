/* SPDX-License-Identifier: Apache-2.0 */
/* danchi secret ls, update: what is known of a container's secrets, and new contents for them. */
#include "../common/error.h"
#include "../common/signal-name.h"
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"
#include "secret-source.h"
#include "table.h"
#include "units.h"

static void
add_row (DnTable *table, JsonObject *secret, gint64 now_us)
{
  gint64 updated_us = dn_answer_int (secret, "updated_us", 0);
  g_autofree char *updated = dn_units_format_ago (updated_us, now_us);

  dn_table_add (table, dn_answer_text (secret, "name"), dn_answer_text (secret, "kind"),
                dn_answer_text (secret, "target"), dn_answer_text (secret, "mode"),
                dn_answer_text (secret, "owner"), updated_us != 0 ? updated : "not there", NULL);
}

int
dn_cmd_secret_list (DnCli *cli, char **words)
{
  const GOptionEntry none[] = { DN_OPTION_END };
  g_autoptr (DnTable) table
      = dn_table_new ("NAME", "KIND", "TARGET", "MODE", "OWNER", "CONTENT", NULL);
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonArray *secrets;
  int status;

  if (!dn_options_parse (cli, none, DN_OPTIONS_ANYWHERE, words, 1, 1, &names, &status))
    return status;
  ok = dn_cli_call (cli, "secret-list", dn_args_new ("container", names[0]), NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  secrets = dn_answer_array (ok, "secrets");
  if (cli->is_json)
    {
      dn_print_array (secrets);
      return DN_EXIT_DONE;
    }
  for (guint i = 0; i < dn_answer_length (secrets); i++)
    if (dn_answer_nth (secrets, i) != NULL)
      add_row (table, dn_answer_nth (secrets, i), g_get_real_time ());
  dn_print_table (table);
  return DN_EXIT_DONE;
}

static int
update (DnCli *cli, const char *signal, char **words)
{
  DnSecretOffer offer = { .cli = cli };
  DnClientCall call = { .event = dn_secret_sources_answer, .data = &offer };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) sources = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args;
  guint number;

  if (signal != NULL && !dn_signal_parse (signal, &number, &error))
    {
      g_prefix_error (&error, "--signal: ");
      return dn_cli_fail_usage_error (cli, error);
    }
  sources = dn_secret_sources_read (words + 1, NULL, DN_SECRETS_UPDATE, FALSE, &error);
  if (sources == NULL)
    return dn_cli_fail_usage_error (cli, error);
  args = dn_args_new ("container", words[0]);
  dn_args_set_text (args, "signal", signal);
  dn_secret_sources_fill_args (sources, DN_SECRETS_UPDATE, args);
  offer.sources = sources;
  ok = dn_cli_call (cli, "secret-update", args, &call, &error);
  dn_fd_list_clear (&call.ret_fds);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  else
    dn_print_line (words[0]);
  return DN_EXIT_DONE;
}

int
dn_cmd_secret_update (DnCli *cli, char **words)
{
  g_autofree char *signal = NULL;
  g_auto (GStrv) rest = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "signal", 's', 0, G_OPTION_ARG_FILENAME, &signal,
      "Tell the container's first process afterwards", "SIGNAL" },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 2, G_MAXUINT, &rest, &status))
    return status;
  return update (cli, signal, rest);
}
