/* SPDX-License-Identifier: Apache-2.0 */
/* danchi context ls, stop, rm; others are in cmd-context-create.c, -explain.c and cmd-inspect.c. */
#include <stdio.h>

#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "each.h"
#include "options.h"
#include "print.h"
#include "units.h"

/* The guest's facts are in an object of their own where there is one. */
static const char *
show_guest (JsonObject *context)
{
  JsonObject *guest = dn_answer_object (context, "guest");
  const char *accelerator = dn_answer_text (guest != NULL ? guest : context, "accelerator");

  return *accelerator == '\0' ? "-" : g_str_equal (accelerator, "tcg") ? "tcg!" : accelerator;
}

static void
add_context (DnTable *table, JsonObject *context)
{
  g_autofree char *memory = dn_units_format_size (dn_answer_int (context, "guest_memory_bytes", 0));
  g_autofree char *cpus = g_strdup_printf ("%d", (int) dn_answer_int (context, "guest_vcpus", 0));
  g_autofree char *containers
      = g_strdup_printf ("%d", (int) dn_answer_int (context, "containers", 0));

  dn_table_add (table, dn_answer_text (context, "name"), dn_answer_text (context, "tenant"),
                dn_answer_text (context, "stage"), dn_answer_text (context, "tier"),
                dn_answer_text (context, "state"), containers, memory, cpus, show_guest (context),
                NULL);
}

int
dn_cmd_context_list (DnCli *cli, char **words)
{
  gboolean is_quiet = FALSE;
  g_auto (GStrv) none = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (DnTable) table = dn_table_new ("NAME", "TENANT", "STAGE", "TIER", "STATE",
                                            "CONTAINERS", "MEMORY", "CPUS", "GUEST", NULL);
  JsonArray *contexts;
  int status;

  const GOptionEntry entries[] = {
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &is_quiet, "Only the names", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    return status;
  ok = dn_cli_call (cli, "context-list", NULL, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  contexts = dn_answer_array (ok, "contexts");
  if (cli->is_json)
    {
      dn_print_array (contexts);
      return DN_EXIT_DONE;
    }
  for (guint i = 0; i < dn_answer_length (contexts); i++)
    {
      JsonObject *context = dn_answer_nth (contexts, i);

      if (context != NULL && is_quiet)
        dn_print_line (dn_answer_text (context, "name"));
      else if (context != NULL)
        add_context (table, context);
    }
  if (!is_quiet)
    dn_print_table (table);
  return DN_EXIT_DONE;
}

int
dn_cmd_context_stop (DnCli *cli, char **words)
{
  g_autoptr (JsonObject) args = json_object_new ();

  return dn_each_run_timed (cli, "context-stop", "context",
                            "How long its containers may take; -1: as they were created", args,
                            words);
}

int
dn_cmd_context_remove (DnCli *cli, char **words)
{
  gboolean is_forced = FALSE;
  g_auto (GStrv) names = NULL;
  g_autoptr (JsonObject) args = json_object_new ();
  int status;

  const GOptionEntry entries[] = {
    { "force", 'f', 0, G_OPTION_ARG_NONE, &is_forced, "With its guest and its containers", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  json_object_set_boolean_member (args, "force", is_forced);
  return dn_each_call (cli, "context-remove", "context", names, args, NULL);
}
