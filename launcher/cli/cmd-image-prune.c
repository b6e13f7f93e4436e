/* SPDX-License-Identifier: Apache-2.0 */
/* danchi image prune: removes images that nothing needs. */
#include <stdio.h>
#include <string.h>

#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"
#include "units.h"

typedef struct
{
  gboolean is_all;
  gboolean is_dry;
  gboolean is_forced;
  char **filters;
} Options;

/* --filter until=24h, or a moment.  0: any age. */
static gboolean
read_filters (const Options *options, gint64 *ret_until_us, GError **error)
{
  *ret_until_us = 0;
  for (guint i = 0; options->filters != NULL && options->filters[i] != NULL; i++)
    {
      const char *filter = options->filters[i];

      if (!g_str_has_prefix (filter, "until="))
        return dn_throw (error, DN_ERROR_USAGE, "--filter '%s': must be until=TIME", filter);
      if (!dn_units_parse_time (filter + strlen ("until="), g_get_real_time (), ret_until_us,
                                error))
        {
          g_prefix_error (error, "--filter until: ");
          return FALSE;
        }
    }
  return TRUE;
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

static int
prune (DnCli *cli, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args;
  gint64 until_us;

  if (!read_filters (options, &until_us, &error))
    return dn_cli_fail_usage (cli, "%s", error->message);
  args = json_object_new ();
  json_object_set_boolean_member (args, "all", options->is_all);
  json_object_set_boolean_member (args, "dry_run", options->is_dry);
  json_object_set_int_member (args, "until_us", until_us);
  ok = dn_cli_call (cli, "image-prune", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  else
    print_pruned (ok, options->is_dry);
  return DN_EXIT_DONE;
}

int
dn_cmd_image_prune (DnCli *cli, char **words)
{
  Options options = { 0 };
  g_auto (GStrv) none = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, &options.is_all,
      "Also images with names that no container uses", NULL },
    { "dry-run", 'n', 0, G_OPTION_ARG_NONE, &options.is_dry, "Only say what would go", NULL },
    { "filter", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.filters,
      "until=24h: only images that came before", "KEY=VALUE" },
    { "force", 'f', 0, G_OPTION_ARG_NONE, &options.is_forced, "As docker has it; nothing is asked",
      NULL },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    status = prune (cli, &options);
  g_strfreev (options.filters);
  return status;
}
