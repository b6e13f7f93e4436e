/* SPDX-License-Identifier: Apache-2.0 */
/* danchi images (image ls): the store as a table. */
#include <string.h>

#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "image-check.h"
#include "options.h"
#include "print.h"
#include "units.h"

#define SHORT_ID_BYTES 12

typedef struct
{
  gboolean is_quiet;
  gboolean is_untruncated;
  gboolean has_digests;
  gboolean is_checked; /* ask the registries first */
  char **filters;
} ImagesOptions;

static char *
show_id (const ImagesOptions *options, JsonObject *image)
{
  const char *id = dn_answer_text (image, "id");

  if (!options->is_untruncated && g_str_has_prefix (id, "sha256:"))
    id += strlen ("sha256:");
  return options->is_untruncated ? g_strdup (id) : g_strndup (id, SHORT_ID_BYTES);
}

static gboolean
is_stale (JsonObject *image)
{
  JsonObject *newer = dn_answer_object (image, "newer");

  return newer != NULL && dn_answer_is (newer, "is_stale");
}

/* The age; what a registry has a newer one of says so. */
static char *
show_created (JsonObject *image)
{
  char *ago = dn_units_format_ago (dn_answer_int (image, "created_us", 0), g_get_real_time ());

  if (is_stale (image))
    {
      char *marked = g_strconcat (ago, " (stale)", NULL);

      g_free (ago);
      return marked;
    }
  return ago;
}

static char *
show_shared (JsonObject *image)
{
  gint64 shared = dn_answer_int (image, "shared_bytes", 0);

  return shared > 0 ? dn_units_format_size (shared) : g_strdup ("-");
}

static const char *
show_word (JsonObject *image, const char *member)
{
  const char *word = dn_answer_text (image, member);

  return *word != '\0' ? word : "-";
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
  g_autofree char *created = show_created (image);
  g_autofree char *size = dn_units_format_size (dn_answer_int (image, "size_bytes", 0));
  g_autofree char *shared = show_shared (image);
  const char *tag = colon != NULL ? colon + 1 : "<none>";
  const char *signature = show_word (image, "signature"), *scan = show_word (image, "verdict");

  if (options->has_digests)
    dn_table_add (table, repository, tag, show_word (image, "digest"), id, created, size, shared,
                  signature, scan, NULL);
  else
    dn_table_add (table, repository, tag, id, created, size, shared, signature, scan, NULL);
}

static gboolean
matches_name (JsonObject *image, const char *pattern)
{
  g_autoptr (GPatternSpec) spec = g_pattern_spec_new (pattern);
  JsonArray *names = dn_answer_array (image, "names");

  for (guint i = 0; i < dn_answer_length (names); i++)
    {
      JsonNode *node = json_array_get_element (names, i);

      if (json_node_get_value_type (node) == G_TYPE_STRING
          && g_pattern_spec_match_string (spec, json_node_get_string (node)))
        return TRUE;
    }
  return FALSE;
}

static gboolean
passes_one (JsonObject *image, const char *filter)
{
  const char *value = strchr (filter, '=') + 1;

  if (g_str_has_prefix (filter, "reference="))
    return matches_name (image, value);
  if (g_str_has_prefix (filter, "dangling="))
    return (dn_answer_length (dn_answer_array (image, "names")) == 0)
           == g_str_equal (value, "true");
  return is_stale (image) == g_str_equal (value, "true");
}

static gboolean
passes (const ImagesOptions *options, JsonObject *image)
{
  for (guint i = 0; options->filters != NULL && options->filters[i] != NULL; i++)
    if (!passes_one (image, options->filters[i]))
      return FALSE;
  return TRUE;
}

static gboolean
check_filters (const ImagesOptions *options, GError **error)
{
  static const char *const truths[]
      = { "dangling=true", "dangling=false", "stale=true", "stale=false", NULL };

  for (guint i = 0; options->filters != NULL && options->filters[i] != NULL; i++)
    if (!g_strv_contains (truths, options->filters[i])
        && !g_str_has_prefix (options->filters[i], "reference="))
      return dn_throw (error, DN_ERROR_USAGE,
                       "--filter '%s': must be dangling=true, dangling=false, stale=true, "
                       "stale=false or reference=PATTERN",
                       options->filters[i]);
  return TRUE;
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
print_table (const ImagesOptions *options, JsonArray *images)
{
  g_autoptr (DnTable) table
      = options->has_digests ? dn_table_new ("REPOSITORY", "TAG", "DIGEST", "IMAGE ID", "CREATED",
                                             "SIZE", "SHARED", "SIGNED", "SCAN", NULL)
                             : dn_table_new ("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE",
                                             "SHARED", "SIGNED", "SCAN", NULL);

  for (guint i = 0; i < dn_answer_length (images); i++)
    {
      JsonObject *image = dn_answer_nth (images, i);
      g_autofree char *id = show_id (options, image);

      if (options->is_quiet)
        dn_print_line (id);
      else
        add_image (table, options, image);
    }
  if (!options->is_quiet)
    dn_print_table (table);
}

/* Those that the filters leave. (transfer full) */
static JsonArray *
filter_images (const ImagesOptions *options, JsonArray *images)
{
  JsonArray *left = json_array_new ();

  for (guint i = 0; i < dn_answer_length (images); i++)
    {
      JsonObject *image = dn_answer_nth (images, i);

      if (image != NULL && passes (options, image))
        json_array_add_object_element (left, json_object_ref (image));
    }
  return left;
}

static int
list (DnCli *cli, const ImagesOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (JsonArray) images = NULL;

  if (!check_filters (options, &error))
    return dn_cli_fail_usage_error (cli, error);
  ok = dn_cli_call (cli, "image-list", NULL, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  images = filter_images (options, dn_answer_array (ok, "images"));
  if (cli->is_json)
    dn_print_array (images);
  else
    print_table (options, images);
  return DN_EXIT_DONE;
}

int
dn_cmd_images (DnCli *cli, char **words)
{
  ImagesOptions options = { 0 };
  g_auto (GStrv) none = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options.is_quiet, "Only the ids", NULL },
    { "no-trunc", 0, 0, G_OPTION_ARG_NONE, &options.is_untruncated, "Ids in full", NULL },
    { "digests", 0, 0, G_OPTION_ARG_NONE, &options.has_digests, "Also the manifests' digests",
      NULL },
    { "check", 0, 0, G_OPTION_ARG_NONE, &options.is_checked,
      "Ask the registries first for newer ones", NULL },
    { "filter", 'f', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.filters,
      "dangling=true (no name), stale=true, reference=PATTERN", "KEY=VALUE" },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    {
      int checked = options.is_checked ? dn_image_check (cli, none, NULL, TRUE) : DN_EXIT_DONE;

      /* What could not be asked was said; the list has the rest. */
      status = cli->client != NULL || !options.is_checked ? list (cli, &options) : checked;
      status = status == DN_EXIT_DONE ? checked : status;
    }
  g_strfreev (options.filters);
  return status;
}
