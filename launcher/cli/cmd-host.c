/* SPDX-License-Identifier: Apache-2.0 */
/* danchi doctor, info, version, gc: about this host and its danchid. */
#include <stdio.h>

#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"

/* Parses for no words, then asks.  NULL: *ret_status is the exit status, all is printed. */
static JsonObject *
ask (DnCli *cli, const char *verb, char **words, int *ret_status)
{
  const GOptionEntry entries[] = { DN_OPTION_END };
  g_auto (GStrv) none = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *ok;

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, ret_status))
    return NULL;
  ok = dn_cli_call (cli, verb, NULL, NULL, &error);
  if (ok == NULL)
    *ret_status = dn_cli_fail (cli, error);
  return ok;
}

/* Returns: whether the check failed */
static gboolean
print_check (JsonObject *check)
{
  const char *status = dn_answer_text (check, "status");
  g_autofree char *word = dn_escape_text (status, -1);
  g_autofree char *what = dn_escape_text (dn_answer_text (check, "what"), -1);
  g_autofree char *id = dn_escape_text (dn_answer_text (check, "id"), -1);
  g_autofree char *remedy = dn_escape_text (dn_answer_text (check, "remedy"), -1);

  printf ("%-5s %s%s%s\n", word, *id != '\0' ? id : "", *id != '\0' ? ": " : "", what);
  if (*remedy != '\0' && !g_str_equal (status, "ok"))
    printf ("      remedy: %s\n", remedy);
  return g_str_equal (status, "fail");
}

int
dn_cmd_doctor (DnCli *cli, char **words)
{
  int status = DN_EXIT_DONE;
  g_autoptr (JsonObject) ok = ask (cli, "doctor", words, &status);
  JsonArray *checks;

  if (ok == NULL)
    return status;
  checks = dn_answer_array (ok, "checks");
  status = DN_EXIT_DONE;
  if (cli->is_json)
    dn_print_array (checks);
  for (guint i = 0; i < dn_answer_length (checks); i++)
    {
      JsonObject *check = dn_answer_nth (checks, i);

      if (check == NULL)
        continue;
      if (cli->is_json ? g_str_equal (dn_answer_text (check, "status"), "fail")
                       : print_check (check))
        status = DN_EXIT_FAILED;
    }
  return status;
}

int
dn_cmd_info (DnCli *cli, char **words)
{
  int status = DN_EXIT_DONE;
  g_autoptr (JsonObject) ok = ask (cli, "info", words, &status);

  if (ok == NULL)
    return status;
  if (cli->is_json)
    dn_print_object (ok);
  else
    dn_print_facts (ok);
  return DN_EXIT_DONE;
}

int
dn_cmd_version (DnCli *cli, char **words)
{
  int status = DN_EXIT_DONE;
  g_autoptr (JsonObject) ok = ask (cli, "version", words, &status);
  g_autoptr (JsonObject) both = NULL;
  g_autofree char *version = NULL;

  if (ok == NULL)
    return status;
  if (cli->is_json)
    {
      both = json_object_new ();
      json_object_set_string_member (both, "client", DN_VERSION);
      json_object_set_object_member (both, "danchid", json_object_ref (ok));
      dn_print_object (both);
      return DN_EXIT_DONE;
    }
  version = dn_escape_text (dn_answer_text (ok, "version"), -1);
  printf ("danchi   %s\ndanchid  %s (pid %" G_GINT64_FORMAT ", guest protocol %" G_GINT64_FORMAT
          ")\n",
          DN_VERSION, version, dn_answer_int (ok, "pid", 0), dn_answer_int (ok, "generation", 0));
  (void) dn_cli_note_version (dn_answer_text (ok, "version"));
  return DN_EXIT_DONE;
}

int
dn_cmd_gc (DnCli *cli, char **words)
{
  int status = DN_EXIT_DONE;
  g_autoptr (JsonObject) ok = ask (cli, "gc", words, &status);
  JsonArray *removed;

  if (ok == NULL)
    return status;
  removed = dn_answer_array (ok, "removed");
  if (cli->is_json)
    {
      dn_print_array (removed);
      return DN_EXIT_DONE;
    }
  for (guint i = 0; i < dn_answer_length (removed); i++)
    {
      JsonNode *node = json_array_get_element (removed, i);

      if (json_node_get_value_type (node) == G_TYPE_STRING)
        dn_print_line (json_node_get_string (node));
    }
  if (dn_answer_length (removed) == 0)
    puts ("nothing to remove");
  return DN_EXIT_DONE;
}
