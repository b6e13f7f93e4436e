/* SPDX-License-Identifier: Apache-2.0 */
/* danchi ps: containers, as a table. */
#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "port-words.h"
#include "print.h"
#include "units.h"

#define SHORT_ID_BYTES 12
#define SHORT_COMMAND_COLUMNS 20

typedef struct
{
  gboolean is_all;
  gboolean is_latest;
  gboolean is_quiet;
  gboolean is_untruncated;
  char **filters;
  char *last;
} PsOptions;

static char *
show_id (const PsOptions *options, JsonObject *container)
{
  const char *id = dn_answer_text (container, "id");

  return options->is_untruncated ? g_strdup (id) : g_strndup (id, SHORT_ID_BYTES);
}

static char *
show_command (const PsOptions *options, JsonObject *container)
{
  g_autofree char *words = dn_answer_words (container, "command");
  g_autofree char *safe = dn_escape_text (words, -1);
  g_autofree char *cut
      = options->is_untruncated ? g_strdup (safe) : dn_table_shorten (safe, SHORT_COMMAND_COLUMNS);

  return g_strdup_printf ("\"%s\"", cut);
}

/* Emulation is no security boundary and must not be overlooked: hence the mark. */
static const char *
show_guest (JsonObject *container)
{
  const char *accelerator = dn_answer_text (container, "accelerator");

  return *accelerator == '\0' ? "-" : g_str_equal (accelerator, "tcg") ? "tcg!" : accelerator;
}

static void
add_container (DnTable *table, const PsOptions *options, JsonObject *container)
{
  g_autofree char *id = show_id (options, container);
  g_autofree char *command = show_command (options, container);
  g_autofree char *ports = dn_port_words (container);
  g_autofree char *created
      = dn_units_format_ago (dn_answer_int (container, "created_us", 0), g_get_real_time ());

  dn_table_add (table, id, dn_answer_text (container, "image"), command, created,
                dn_answer_text (container, "status"), ports, dn_answer_text (container, "name"),
                dn_answer_text (container, "context"), show_guest (container), NULL);
}

static void
print_containers (DnCli *cli, const PsOptions *options, JsonArray *containers)
{
  g_autoptr (DnTable) table = dn_table_new ("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS",
                                            "PORTS", "NAMES", "CONTEXT", "GUEST", NULL);

  if (cli->is_json)
    {
      dn_print_array (containers);
      return;
    }
  for (guint i = 0; i < dn_answer_length (containers); i++)
    {
      JsonObject *container = dn_answer_nth (containers, i);

      if (container == NULL)
        continue;
      if (options->is_quiet)
        {
          g_autofree char *id = show_id (options, container);

          dn_print_line (id);
        }
      else
        add_container (table, options, container);
    }
  if (!options->is_quiet)
    dn_print_table (table);
}

static int
compare_created (gconstpointer a, gconstpointer b)
{
  gint64 first = dn_answer_int (json_node_get_object (*(JsonNode *const *) a), "created_us", 0);
  gint64 second = dn_answer_int (json_node_get_object (*(JsonNode *const *) b), "created_us", 0);

  return first > second ? -1 : first < second;
}

/* The @count newest. (transfer full) */
static JsonArray *
take_newest (JsonArray *containers, guint count)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();
  JsonArray *newest = json_array_new ();

  for (guint i = 0; i < dn_answer_length (containers); i++)
    if (dn_answer_nth (containers, i) != NULL)
      g_ptr_array_add (nodes, json_array_get_element (containers, i));
  g_ptr_array_sort (nodes, compare_created);
  for (guint i = 0; i < nodes->len && i < count; i++)
    json_array_add_element (newest, json_node_copy (nodes->pdata[i]));
  return newest;
}

static int
ps (DnCli *cli, PsOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (JsonArray) newest = NULL;
  JsonObject *args = json_object_new ();
  gint64 last = options->is_latest ? 1 : -1;

  if (options->last != NULL && !dn_units_parse_int (options->last, 1, G_MAXINT, &last, &error))
    {
      json_object_unref (args);
      return dn_cli_fail_usage (cli, "--last: %s", error->message);
    }
  json_object_set_boolean_member (args, "all", options->is_all || last > 0);
  dn_args_set_list (args, "filters", options->filters);
  ok = dn_cli_call (cli, "container-list", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  newest = last > 0 ? take_newest (dn_answer_array (ok, "containers"), (guint) last) : NULL;
  print_containers (cli, options, newest != NULL ? newest : dn_answer_array (ok, "containers"));
  return DN_EXIT_DONE;
}

int
dn_cmd_ps (DnCli *cli, char **words)
{
  PsOptions options = { 0 };
  g_auto (GStrv) none = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, &options.is_all, "Also those that do not run", NULL },
    { "filter", 'f', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.filters,
      "id name label status context image tenant stage tier", "KEY=VALUE" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options.is_quiet, "Only the ids", NULL },
    { "no-trunc", 0, 0, G_OPTION_ARG_NONE, &options.is_untruncated, "Ids and commands in full",
      NULL },
    { "latest", 'l', 0, G_OPTION_ARG_NONE, &options.is_latest, "Only the newest, also ended",
      NULL },
    { "last", 'n', 0, G_OPTION_ARG_FILENAME, &options.last, "Only the newest N, also ended", "N" },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    status = ps (cli, &options);
  g_strfreev (options.filters);
  g_free (options.last);
  return status;
}
