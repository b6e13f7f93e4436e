/* SPDX-License-Identifier: Apache-2.0 */
/* danchi images (image ls) and image rm; image inspect is in cmd-inspect.c. */
#include <string.h>

#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"
#include "units.h"

#define SHORT_ID_BYTES 12

typedef struct
{
  gboolean is_quiet;
  gboolean is_untruncated;
} ImagesOptions;

static char *
show_id (const ImagesOptions *options, JsonObject *image)
{
  const char *id = dn_answer_text (image, "id");

  if (!options->is_untruncated && g_str_has_prefix (id, "sha256:"))
    id += strlen ("sha256:");
  return options->is_untruncated ? g_strdup (id) : g_strndup (id, SHORT_ID_BYTES);
}

/* "registry:5000/a/b:tag" is a repository and a tag: the colon after the last slash divides. */
static void
add_name (DnTable *table, const ImagesOptions *options, JsonObject *image, const char *name)
{
  const char *slash = strrchr (name, '/');
  const char *colon = strrchr (slash != NULL ? slash : name, ':');
  g_autofree char *repository
      = colon != NULL ? g_strndup (name, (gsize) (colon - name)) : g_strdup (name);
  g_autofree char *id = show_id (options, image);
  g_autofree char *created
      = dn_units_format_ago (dn_answer_int (image, "created_us", 0), g_get_real_time ());
  g_autofree char *size = dn_units_format_size (dn_answer_int (image, "size_bytes", 0));

  dn_table_add (table, repository, colon != NULL ? colon + 1 : "<none>", id, created, size, NULL);
}

static void
add_image (DnTable *table, const ImagesOptions *options, JsonObject *image)
{
  JsonArray *names = dn_answer_array (image, "names");

  if (dn_answer_length (names) == 0)
    add_name (table, options, image, "<none>");
  for (guint i = 0; i < dn_answer_length (names); i++)
    {
      JsonNode *node = json_array_get_element (names, i);

      if (json_node_get_value_type (node) == G_TYPE_STRING)
        add_name (table, options, image, json_node_get_string (node));
    }
}

static void
print_images (DnCli *cli, const ImagesOptions *options, JsonArray *images)
{
  g_autoptr (DnTable) table
      = dn_table_new ("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", NULL);

  if (cli->is_json)
    {
      dn_print_array (images);
      return;
    }
  for (guint i = 0; i < dn_answer_length (images); i++)
    {
      JsonObject *image = dn_answer_nth (images, i);
      g_autofree char *id = image != NULL ? show_id (options, image) : NULL;

      if (image == NULL)
        continue;
      if (options->is_quiet)
        dn_print_line (id);
      else
        add_image (table, options, image);
    }
  if (!options->is_quiet)
    dn_print_table (table);
}

int
dn_cmd_images (DnCli *cli, char **words)
{
  ImagesOptions options = { 0 };
  g_auto (GStrv) none = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options.is_quiet, "Only the ids", NULL },
    { "no-trunc", 0, 0, G_OPTION_ARG_NONE, &options.is_untruncated, "Ids in full", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    return status;
  ok = dn_cli_call (cli, "image-list", NULL, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  print_images (cli, &options, dn_answer_array (ok, "images"));
  return DN_EXIT_DONE;
}

static int
remove_image (DnCli *cli, const char *name, gboolean is_forced, JsonArray *all)
{
  JsonObject *args = dn_args_new ("image", name);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonArray *removed;

  json_object_set_boolean_member (args, "force", is_forced);
  ok = dn_cli_call (cli, "image-remove", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  removed = dn_answer_array (ok, "removed");
  for (guint i = 0; i < dn_answer_length (removed); i++)
    {
      JsonNode *node = json_array_get_element (removed, i);

      json_array_add_element (all, json_node_copy (node));
      if (!cli->is_json && json_node_get_value_type (node) == G_TYPE_STRING)
        dn_print_line (json_node_get_string (node));
    }
  return DN_EXIT_DONE;
}

int
dn_cmd_image_remove (DnCli *cli, char **words)
{
  gboolean is_forced = FALSE;
  g_auto (GStrv) names = NULL;
  g_autoptr (JsonArray) removed = json_array_new ();
  int status;

  const GOptionEntry entries[] = {
    { "force", 'f', 0, G_OPTION_ARG_NONE, &is_forced,
      "Also with containers made from it that do "
      "not run",
      NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  status = DN_EXIT_DONE;
  for (char **name = names; *name != NULL && (cli->client != NULL || name == names); name++)
    {
      int one = remove_image (cli, *name, is_forced, removed);

      status = one != DN_EXIT_DONE ? one : status;
    }
  if (cli->is_json && cli->client != NULL)
    dn_print_array (removed);
  return status;
}
