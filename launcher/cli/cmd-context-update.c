/* SPDX-License-Identifier: Apache-2.0 */
/* danchi context update: a context's limits, in its file and in its running guest. */
#include <stdio.h>

#include "answer.h"
#include "commands.h"
#include "guest-options.h"
#include "options.h"
#include "print.h"

static void
print_later (JsonObject *ok)
{
  JsonArray *later = dn_answer_array (ok, "next_guest");

  dn_print_line (dn_answer_text (ok, "name"));
  for (guint i = 0; i < dn_answer_length (later); i++)
    fprintf (stderr, "danchi: [guest] %s holds from its next guest on\n",
             json_array_get_string_element (later, i));
}

static int
update (DnCli *cli, const DnGuestOptions *options, const char *name)
{
  g_autoptr (JsonObject) args = dn_args_new ("context", name);
  JsonObject *keys = json_object_new ();
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (GError) error = NULL;

  json_object_set_object_member (args, "keys", keys);
  if (!dn_guest_options_to_keys (options, keys, &error))
    return dn_cli_fail_usage_error (cli, error);
  if (json_object_get_size (keys) == 0)
    return dn_cli_fail_usage (cli, "a limit must be given");
  ok = dn_cli_call (cli, "context-update", g_steal_pointer (&args), NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  else
    print_later (ok);
  return DN_EXIT_DONE;
}

int
dn_cmd_context_update (DnCli *cli, char **words)
{
  g_auto (DnGuestOptions) options = { 0 };
  GOptionEntry entries[DN_GUEST_OPTIONS_ROWS];
  g_auto (GStrv) names = NULL;
  int status;

  dn_guest_options_fill (&options, "memory", "cpus", entries);
  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, 1, &names, &status))
    return status;
  return update (cli, &options, names[0]);
}
