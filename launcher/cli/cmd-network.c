/* SPDX-License-Identifier: Apache-2.0 */
/* danchi network ls, inspect.  A network is not made and not removed: contexts name it. */
#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"

/* (transfer full): the networks, or NULL with @error */
static JsonArray *
list (DnCli *cli, GError **error)
{
  g_autoptr (JsonObject) ok = dn_cli_call (cli, "network-list", NULL, NULL, error);
  JsonArray *networks = ok != NULL ? dn_answer_array (ok, "networks") : NULL;

  if (ok == NULL)
    return NULL;
  return networks != NULL ? json_array_ref (networks) : json_array_new ();
}

static void
add_network (DnTable *table, JsonObject *network)
{
  const char *tenant = dn_answer_text (network, "tenant");
  g_autofree char *contexts
      = g_strdup_printf ("%u", dn_answer_length (dn_answer_array (network, "contexts")));
  g_autofree char *containers
      = g_strdup_printf ("%u", dn_answer_length (dn_answer_array (network, "containers")));

  dn_table_add (table, dn_answer_text (network, "name"), dn_answer_text (network, "kind"),
                *tenant != '\0' ? tenant : "-", contexts, containers, NULL);
}

int
dn_cmd_network_list (DnCli *cli, char **words)
{
  gboolean is_quiet = FALSE;
  g_auto (GStrv) none = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) networks = NULL;
  g_autoptr (DnTable) table
      = dn_table_new ("NAME", "KIND", "TENANT", "CONTEXTS", "CONTAINERS", NULL);
  int status;

  const GOptionEntry entries[] = {
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &is_quiet, "Only the names", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    return status;
  networks = list (cli, &error);
  if (networks == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    {
      dn_print_array (networks);
      return DN_EXIT_DONE;
    }
  for (guint i = 0; i < dn_answer_length (networks); i++)
    {
      JsonObject *network = dn_answer_nth (networks, i);

      if (network != NULL && is_quiet)
        dn_print_line (dn_answer_text (network, "name"));
      else if (network != NULL)
        add_network (table, network);
    }
  if (!is_quiet)
    dn_print_table (table);
  return DN_EXIT_DONE;
}

/* By its name, which several tenants may have given, or by TENANT/NAME. */
static gboolean
is_meant (JsonObject *network, const char *name)
{
  return g_str_equal (dn_answer_text (network, "name"), name)
         || g_str_equal (dn_answer_text (network, "network"), name);
}

int
dn_cmd_network_inspect (DnCli *cli, char **words)
{
  const GOptionEntry none[] = { DN_OPTION_END };
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) networks = NULL;
  g_autoptr (JsonArray) found = json_array_new ();
  int status;

  if (!dn_options_parse (cli, none, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  networks = list (cli, &error);
  if (networks == NULL)
    return dn_cli_fail (cli, error);
  status = DN_EXIT_DONE;
  for (char **name = names; *name != NULL; name++)
    {
      guint before = json_array_get_length (found);
      g_autoptr (GError) missing = NULL;

      for (guint i = 0; i < dn_answer_length (networks); i++)
        if (dn_answer_nth (networks, i) != NULL && is_meant (dn_answer_nth (networks, i), *name))
          json_array_add_object_element (found, json_object_ref (dn_answer_nth (networks, i)));
      if (json_array_get_length (found) > before)
        continue;
      dn_throw (&missing, DN_ERROR_NOT_FOUND,
                "network '%s': no context is in one of this name\n"
                "a context names its network in [network] mode",
                *name);
      status = dn_cli_fail (cli, missing);
    }
  dn_print_array (found);
  return status;
}
