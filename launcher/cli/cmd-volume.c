/* SPDX-License-Identifier: Apache-2.0 */
/* danchi volume create, ls, inspect, rm, prune. */
#include <stdio.h>
#include <string.h>

#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "each.h"
#include "options.h"
#include "print.h"
#include "units.h"

#define SHORT_ID_BYTES 12

typedef struct
{
  char *size;
  char **labels;
  char *tenant;
  char *context;
  gboolean is_encrypted;
} CreateOptions;

static gboolean
fill_create (const CreateOptions *options, const char *name, JsonObject *args, GError **error)
{
  JsonObject *labels = json_object_new ();
  gint64 bytes;

  json_object_set_object_member (args, "labels", labels);
  for (char **label = options->labels; label != NULL && *label != NULL; label++)
    {
      g_auto (GStrv) halves = g_strsplit (*label, "=", 2);

      if (halves[0] == NULL || halves[0][0] == '\0')
        return dn_throw (error, DN_ERROR_USAGE, "--label: '%s': the name is empty", *label);
      json_object_set_string_member (labels, halves[0], halves[1] != NULL ? halves[1] : "");
    }
  dn_args_set_text (args, "name", name);
  dn_args_set_text (args, "tenant", options->tenant);
  dn_args_set_text (args, "context", options->context);
  if (options->is_encrypted)
    json_object_set_boolean_member (args, "is_encrypted", TRUE);
  if (options->size == NULL)
    return TRUE;
  if (!dn_units_parse_size (options->size, &bytes, error))
    {
      g_prefix_error (error, "--size: ");
      return FALSE;
    }
  json_object_set_int_member (args, "size_bytes", bytes);
  return TRUE;
}

static int
create (DnCli *cli, const CreateOptions *options, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) args = json_object_new ();
  g_autoptr (JsonObject) ok = NULL;

  if (!fill_create (options, name, args, &error))
    return dn_cli_fail_usage (cli, "%s", error->message);
  ok = dn_cli_call (cli, "volume-create", g_steal_pointer (&args), NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  else
    dn_print_line (dn_answer_text (ok, "name"));
  return DN_EXIT_DONE;
}

int
dn_cmd_volume_create (DnCli *cli, char **words)
{
  CreateOptions options = { 0 };
  g_auto (GStrv) names = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "size", 's', 0, G_OPTION_ARG_FILENAME, &options.size,
      "How much it can hold; the default is the host's", "SIZE" },
    { "label", 'l', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.labels, "Note a label",
      "NAME[=VALUE]" },
    { "tenant", 0, 0, G_OPTION_ARG_FILENAME, &options.tenant,
      "For the contexts of this tenant; else it is your own", "NAME" },
    { "context", 0, 0, G_OPTION_ARG_FILENAME, &options.context,
      "For this context, and others of its tenant", "NAME" },
    { "encrypt", 0, 0, G_OPTION_ARG_NONE, &options.is_encrypted,
      "Encrypt it in the guest; its key comes with each start: --volume-key", NULL },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 1, &names, &status))
    status = create (cli, &options, names[0]);
  g_free (options.size);
  g_strfreev (options.labels);
  g_free (options.tenant);
  g_free (options.context);
  return status;
}

/* "web, db", "-". (transfer full) */
static char *
show_users (JsonObject *volume)
{
  JsonArray *users = dn_answer_array (volume, "used_by");
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < dn_answer_length (users); i++)
    if (json_node_get_value_type (json_array_get_element (users, i)) == G_TYPE_STRING)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "",
                              json_array_get_string_element (users, i));
  return text->len > 0 ? g_string_free (text, FALSE) : (g_string_free (text, TRUE), g_strdup ("-"));
}

/* Whose it is. (transfer full) */
static char *
show_scope (JsonObject *volume)
{
  const char *scope = dn_answer_text (volume, "scope");

  if (g_str_equal (scope, "user"))
    return g_strdup_printf ("uid %d", (int) dn_answer_int (volume, "owner_uid", 0));
  if (g_str_equal (scope, "context"))
    return g_strdup_printf ("context %s", dn_answer_text (volume, "context"));
  return g_strdup_printf ("tenant %s", dn_answer_text (volume, "tenant"));
}

static void
add_volume (DnTable *table, JsonObject *volume)
{
  g_autofree char *id = g_strdup_printf ("%.*s", SHORT_ID_BYTES, dn_answer_text (volume, "id"));
  g_autofree char *size = dn_units_format_size (dn_answer_int (volume, "size_bytes", 0));
  g_autofree char *used = dn_units_format_size (dn_answer_int (volume, "used_bytes", 0));
  g_autofree char *users = show_users (volume);
  g_autofree char *scope = show_scope (volume);
  g_autofree char *shown = dn_table_shorten (users, 40);

  dn_table_add (table, dn_answer_text (volume, "name"), id, scope,
                dn_answer_text (volume, "tenant"), size, used,
                dn_answer_is (volume, "is_encrypted") ? "yes" : "no", shown, NULL);
}

int
dn_cmd_volume_list (DnCli *cli, char **words)
{
  gboolean is_quiet = FALSE;
  g_auto (GStrv) none = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (DnTable) table
      = dn_table_new ("NAME", "ID", "OF", "TENANT", "SIZE", "USED", "ENCRYPTED", "USED BY", NULL);
  JsonArray *volumes;
  int status;

  const GOptionEntry entries[] = {
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &is_quiet, "Only the names", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    return status;
  ok = dn_cli_call (cli, "volume-list", NULL, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  volumes = dn_answer_array (ok, "volumes");
  if (cli->is_json)
    {
      dn_print_array (volumes);
      return DN_EXIT_DONE;
    }
  for (guint i = 0; i < dn_answer_length (volumes); i++)
    {
      JsonObject *volume = dn_answer_nth (volumes, i);

      if (volume != NULL && is_quiet)
        dn_print_line (dn_answer_text (volume, "name"));
      else if (volume != NULL)
        add_volume (table, volume);
    }
  if (!is_quiet)
    dn_print_table (table);
  return DN_EXIT_DONE;
}

int
dn_cmd_volume_inspect (DnCli *cli, char **words)
{
  g_auto (GStrv) names = NULL;
  g_autoptr (JsonArray) array = json_array_new ();
  int status, result = DN_EXIT_DONE;
  const GOptionEntry entries[] = { DN_OPTION_END };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  for (char **name = names; *name != NULL; name++)
    {
      g_autoptr (GError) error = NULL;
      JsonObject *ok
          = dn_cli_call (cli, "volume-inspect", dn_args_new ("volume", *name), NULL, &error);

      if (ok != NULL)
        json_array_add_object_element (array, ok);
      else
        result = dn_cli_fail (cli, error);
    }
  dn_print_array (array);
  return result;
}

int
dn_cmd_volume_remove (DnCli *cli, char **words)
{
  gboolean is_forced = FALSE;
  g_auto (GStrv) names = NULL;
  g_autoptr (JsonObject) args = json_object_new ();
  int status;

  const GOptionEntry entries[] = {
    { "force", 'f', 0, G_OPTION_ARG_NONE, &is_forced, "One that is not there is no error", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  json_object_set_boolean_member (args, "force", is_forced);
  return dn_each_call (cli, "volume-remove", "volume", names, args, NULL);
}

static void
print_pruned (JsonObject *ok, gboolean is_dry)
{
  JsonArray *removed = dn_answer_array (ok, "removed");
  g_autofree char *bytes = dn_units_format_size (dn_answer_int (ok, "reclaimed_bytes", 0));

  for (guint i = 0; i < dn_answer_length (removed); i++)
    if (json_node_get_value_type (json_array_get_element (removed, i)) == G_TYPE_STRING)
      dn_print_line (json_array_get_string_element (removed, i));
  printf ("%s: %s\n", is_dry ? "Would be reclaimed" : "Reclaimed", bytes);
}

int
dn_cmd_volume_prune (DnCli *cli, char **words)
{
  gboolean is_all = FALSE, is_dry = FALSE, is_forced = FALSE;
  g_auto (GStrv) none = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args;
  int status;

  const GOptionEntry entries[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, &is_all, "Also those with names", NULL },
    { "dry-run", 'n', 0, G_OPTION_ARG_NONE, &is_dry, "Only say what would go", NULL },
    { "force", 'f', 0, G_OPTION_ARG_NONE, &is_forced, "As docker has it; nothing is asked", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    return status;
  args = json_object_new ();
  json_object_set_boolean_member (args, "all", is_all);
  json_object_set_boolean_member (args, "dry_run", is_dry);
  ok = dn_cli_call (cli, "volume-prune", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  else
    print_pruned (ok, is_dry);
  return DN_EXIT_DONE;
}
