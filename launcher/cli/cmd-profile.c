/* SPDX-License-Identifier: Apache-2.0 */
/* danchi profile ls and show. */
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"

#define SHORT_HASH_BYTES 12

static void
add_profile (DnTable *table, JsonObject *profile)
{
  g_autofree char *version
      = g_strdup_printf ("%" G_GINT64_FORMAT, dn_answer_int (profile, "version", 0));
  g_autofree char *hash = g_strndup (dn_answer_text (profile, "sha256"), SHORT_HASH_BYTES);
  g_autofree char *capabilities = dn_answer_words (profile, "capabilities");

  if (json_object_has_member (profile, "error"))
    dn_table_add (table, dn_answer_text (profile, "name"), "", "damaged", "", "",
                  dn_answer_text (profile, "error"), NULL);
  else
    dn_table_add (table, dn_answer_text (profile, "name"), version, hash,
                  dn_answer_is (profile, "is_writable") ? "in memory" : "read-only",
                  dn_answer_text (profile, "seccomp"),
                  capabilities[0] != '\0' ? capabilities : "none", NULL);
}

int
dn_cmd_profile_list (DnCli *cli, char **words)
{
  const GOptionEntry entries[] = { DN_OPTION_END };
  g_autoptr (DnTable) table = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) rest = NULL;
  JsonArray *profiles;
  int status;

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &rest, &status))
    return status;
  ok = dn_cli_call (cli, "profile-list", json_object_new (), NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  profiles = dn_answer_array (ok, "profiles");
  if (cli->is_json)
    {
      dn_print_array (profiles);
      return DN_EXIT_DONE;
    }
  table = dn_table_new ("PROFILE", "VERSION", "SHA256", "ROOT", "SECCOMP", "CAPABILITIES", NULL);
  for (guint i = 0; i < dn_answer_length (profiles); i++)
    {
      JsonObject *profile = dn_answer_nth (profiles, i);

      if (profile != NULL)
        add_profile (table, profile);
    }
  dn_print_table (table);
  return DN_EXIT_DONE;
}

int
dn_cmd_profile_show (DnCli *cli, char **words)
{
  const GOptionEntry entries[] = { DN_OPTION_END };
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = NULL, lines = NULL;
  JsonObject *args;
  int status;

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, 1, &names, &status))
    return status;
  args = json_object_new ();
  json_object_set_string_member (args, "name", names[0]);
  ok = dn_cli_call (cli, "profile-show", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    {
      dn_print_object (ok);
      return DN_EXIT_DONE;
    }
  lines = g_strsplit (dn_answer_text (ok, "text"), "\n", -1);
  /* The last line's own newline makes an empty one of what is after it. */
  for (guint i = 0; lines[i] != NULL && (lines[i][0] != '\0' || lines[i + 1] != NULL); i++)
    dn_print_line (lines[i]);
  return DN_EXIT_DONE;
}
