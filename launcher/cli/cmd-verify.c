/* SPDX-License-Identifier: Apache-2.0 */
/* danchi verify: what was promised against what the kernels report. */
#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"

/* With two blanks between, and verdict and demand beside them, a line takes 98 columns. */
#define CONTROL_COLUMNS 31
#define VALUE_COLUMNS 22

static char *
shorten (JsonObject *line, const char *member, guint columns)
{
  g_autofree char *escaped = dn_escape_text (dn_answer_text (line, member), -1);

  return dn_table_shorten (escaped, columns);
}

static gboolean
is_kept (JsonObject *line)
{
  return g_str_equal (dn_answer_text (line, "verdict"), "ok");
}

/* A heading for each subject: who it is, and whose word its lines are. */
static void
print_heading (JsonObject *line)
{
  const char *kind = dn_answer_text (line, "subject");
  gboolean has_name = !g_str_equal (kind, "danchid");
  g_autofree char *heading = g_strdup_printf (
      "%s%s%s: reported by the %s", kind, has_name ? " " : "",
      has_name ? dn_answer_text (line, "name") : "", dn_answer_text (line, "reported_by"));

  dn_print_line (heading);
}

static gboolean
is_same_subject (JsonObject *a, JsonObject *b)
{
  return g_str_equal (dn_answer_text (a, "subject"), dn_answer_text (b, "subject"))
         && g_str_equal (dn_answer_text (a, "name"), dn_answer_text (b, "name"));
}

static void
add_line (DnTable *table, JsonObject *line)
{
  g_autofree char *control = shorten (line, "control", CONTROL_COLUMNS);
  g_autofree char *promised = shorten (line, "promised", VALUE_COLUMNS);
  g_autofree char *actual = shorten (line, "actual", VALUE_COLUMNS);

  dn_table_add (table, dn_answer_text (line, "verdict"), control, dn_answer_text (line, "demand"),
                promised, actual, NULL);
}

/* One subject's lines from @start on.  Returns where the next one's begin. */
static guint
print_subject (JsonArray *lines, guint start, gboolean is_quiet)
{
  g_autoptr (DnTable) table
      = dn_table_new ("VERDICT", "CONTROL", "DEMAND", "PROMISED", "ACTUAL", NULL);
  JsonObject *first = dn_answer_nth (lines, start);
  guint shown = 0;
  guint i = start;

  for (; i < dn_answer_length (lines); i++)
    {
      JsonObject *line = dn_answer_nth (lines, i);

      if (line == NULL || first == NULL || !is_same_subject (first, line))
        break;
      if (is_quiet && is_kept (line))
        continue;
      add_line (table, line);
      shown++;
    }
  if (shown > 0)
    {
      print_heading (first);
      dn_print_table (table);
    }
  /* What is no line is passed over. */
  return MAX (i, start + 1);
}

static void
print_summary (JsonObject *ok)
{
  gint64 absent = dn_answer_int (ok, "absent", 0);
  g_autofree char *more
      = absent > 0
            ? g_strdup_printf (", %d absent: session mode does not promise them", (int) absent)
            : g_strdup ("");
  g_autofree char *text = g_strdup_printf (
      "%d controls: %d ok, %d differ, %d unknown%s",
      (int) (dn_answer_int (ok, "kept", 0) + dn_answer_int (ok, "differing", 0)
             + dn_answer_int (ok, "unknown", 0) + absent),
      (int) dn_answer_int (ok, "kept", 0), (int) dn_answer_int (ok, "differing", 0),
      (int) dn_answer_int (ok, "unknown", 0), more);

  dn_print_line (text);
}

static void
print_json (JsonArray *lines, gboolean is_quiet)
{
  g_autoptr (JsonArray) shown = json_array_new ();

  for (guint i = 0; i < dn_answer_length (lines); i++)
    if (dn_answer_nth (lines, i) != NULL && !(is_quiet && is_kept (dn_answer_nth (lines, i))))
      json_array_add_object_element (shown, json_object_ref (dn_answer_nth (lines, i)));
  dn_print_array (shown);
}

int
dn_cmd_verify (DnCli *cli, char **words)
{
  gboolean is_quiet = FALSE;
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args = json_object_new ();
  JsonArray *lines, *notes;
  int status;

  const GOptionEntry entries[] = {
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &is_quiet, "Only what differs or is unknown", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, G_MAXUINT, &names, &status))
    {
      json_object_unref (args);
      return status;
    }
  dn_args_set_list (args, "names", names);
  ok = dn_cli_call (cli, "verify", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  lines = dn_answer_array (ok, "lines");
  notes = dn_answer_array (ok, "notes");
  if (cli->is_json)
    print_json (lines, is_quiet);
  for (guint i = 0; !cli->is_json && i < dn_answer_length (lines);)
    i = print_subject (lines, i, is_quiet);
  if (!cli->is_json)
    print_summary (ok);
  for (guint i = 0; i < dn_answer_length (notes); i++)
    if (json_node_get_value_type (json_array_get_element (notes, i)) == G_TYPE_STRING)
      dn_cli_note ("%s", json_array_get_string_element (notes, i));
  /* Nothing that was looked at is no proof either. */
  return dn_answer_int (ok, "differing", 1) == 0 && dn_answer_int (ok, "unknown", 1) == 0
                 && dn_answer_length (lines) > 0
             ? DN_EXIT_DONE
             : DN_EXIT_FAILED;
}
