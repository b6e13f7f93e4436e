/* SPDX-License-Identifier: Apache-2.0 */
/* danchi context explain. */
#include <stdio.h>

#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"

/* Where a value comes from, as "FILE:LINE". (transfer full) */
static char *
show_source (JsonObject *key)
{
  const char *file = dn_answer_text (key, "file");

  if (*file == '\0')
    return g_strdup ("built in");
  return g_strdup_printf ("%s:%" G_GINT64_FORMAT, file, dn_answer_int (key, "line", 0));
}

static void
add_key (DnTable *table, JsonObject *key)
{
  g_autofree char *name
      = g_strdup_printf ("[%s] %s", dn_answer_text (key, "group"), dn_answer_text (key, "key"));
  g_autofree char *source = show_source (key);
  const char *value = dn_answer_text (key, "value");
  g_autofree char *next = json_object_has_member (key, "next")
                              ? g_strdup_printf ("next guest: %s", dn_answer_text (key, "next"))
                              : NULL;

  dn_table_add (table, name, *value != '\0' ? value : "-", source, next, NULL);
}

int
dn_cmd_context_explain (DnCli *cli, char **words)
{
  const GOptionEntry entries[] = { DN_OPTION_END };
  g_autoptr (DnTable) table = dn_table_new ("KEY", "VALUE", "FROM", "CHANGES", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_auto (GStrv) names = NULL;
  g_autofree char *fault = NULL;
  JsonArray *keys;
  int status;

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, 1, &names, &status))
    return status;
  ok = dn_cli_call (cli, "context-explain", dn_args_new ("context", names[0]), NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    {
      dn_print_object (ok);
      return DN_EXIT_DONE;
    }
  keys = dn_answer_array (ok, "keys");
  for (guint i = 0; i < dn_answer_length (keys); i++)
    {
      JsonObject *key = dn_answer_nth (keys, i);

      if (key != NULL)
        add_key (table, key);
    }
  dn_print_table (table);
  fault = dn_escape_text (dn_answer_text (ok, "error"), -1);
  if (*fault != '\0')
    printf ("\nnothing starts in it until this is mended, and these values are of before: %s\n",
            fault);
  return DN_EXIT_DONE;
}
