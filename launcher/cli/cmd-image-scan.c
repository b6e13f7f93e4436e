/* SPDX-License-Identifier: Apache-2.0 */
/* danchi image scan: has the operator's scanner look at images, and prints what it found. */
#include <stdio.h>

#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"

static void
print_findings (JsonArray *findings)
{
  g_autoptr (DnTable) table
      = dn_table_new ("SEVERITY", "ID", "PACKAGE", "INSTALLED", "FIXED", "TITLE", NULL);

  if (dn_answer_length (findings) == 0)
    return;
  for (guint i = 0; i < dn_answer_length (findings); i++)
    {
      JsonObject *finding = dn_answer_nth (findings, i);

      if (finding != NULL)
        dn_table_add (table, dn_answer_text (finding, "severity"), dn_answer_text (finding, "id"),
                      dn_answer_text (finding, "package"), dn_answer_text (finding, "installed"),
                      dn_answer_text (finding, "fixed"), dn_answer_text (finding, "title"), NULL);
    }
  dn_print_table (table);
}

/* "name: fail, 1 critical, 2 high: SUMMARY" */
static void
print_verdict (const char *name, JsonObject *scan)
{
  static const char *const severities[] = { "critical", "high", "medium", "low" };
  JsonObject *counts = dn_answer_object (scan, "counts");
  g_autofree char *shown = dn_escape_text (name, -1);
  g_autofree char *verdict = dn_escape_text (dn_answer_text (scan, "verdict"), -1);
  g_autofree char *summary = dn_escape_text (dn_answer_text (scan, "summary"), -1);

  printf ("%s: %s", shown, verdict);
  for (guint i = 0; counts != NULL && i < G_N_ELEMENTS (severities); i++)
    {
      gint64 count = dn_answer_int (counts, severities[i], 0);

      if (count > 0)
        printf (", %" G_GINT64_FORMAT " %s", count, severities[i]);
    }
  printf ("%s%s\n", summary[0] != '\0' ? ": " : "", summary);
}

static int
scan_image (DnCli *cli, const char *name, JsonArray *all)
{
  JsonObject *args = dn_args_new ("image", name);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *scan;
  const char *verdict;

  if (cli->allow_emulation)
    json_object_set_boolean_member (args, "allow_emulation", TRUE);
  ok = dn_cli_call (cli, "image-scan", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  scan = dn_answer_object (ok, "scan");
  if (scan == NULL)
    return DN_EXIT_FAILED;
  if (cli->is_json)
    json_array_add_object_element (all, json_object_ref (ok));
  else
    {
      print_verdict (name, scan);
      print_findings (dn_answer_array (scan, "findings"));
    }
  verdict = dn_answer_text (scan, "verdict");
  return g_str_equal (verdict, "pass") || g_str_equal (verdict, "warn") ? DN_EXIT_DONE
                                                                        : DN_EXIT_FAILED;
}

int
dn_cmd_image_scan (DnCli *cli, char **words)
{
  g_auto (GStrv) names = NULL;
  g_autoptr (JsonArray) all = json_array_new ();
  int status;

  const GOptionEntry entries[] = { DN_OPTION_END };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  status = DN_EXIT_DONE;
  for (char **name = names; *name != NULL && (cli->client != NULL || name == names); name++)
    {
      int one = scan_image (cli, *name, all);

      status = one != DN_EXIT_DONE ? one : status;
    }
  if (cli->is_json && cli->client != NULL)
    dn_print_array (all);
  return status;
}
