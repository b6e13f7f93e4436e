/* SPDX-License-Identifier: Apache-2.0 */
/* danchi image history: the steps that made an image, the newest first. */
#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"
#include "units.h"

#define SHORT_ID_BYTES 12
#define SHORT_WORDS_COLUMNS 40

typedef struct
{
  gboolean is_quiet;
  gboolean is_untruncated;
} Options;

static char *
show_layer (const Options *options, JsonObject *step)
{
  const char *layer = dn_answer_text (step, "layer");

  if (*layer == '\0')
    return g_strdup ("-");
  return options->is_untruncated ? g_strdup (layer) : g_strndup (layer, SHORT_ID_BYTES);
}

/* Words of whoever built the image.  What is escaped is cut, or an escape would count for less
 * columns than it takes; the table finds nothing left to escape. */
static char *
show_words (const Options *options, JsonObject *step)
{
  g_autofree char *safe = dn_escape_text (dn_answer_text (step, "created_by"), -1);

  return options->is_untruncated ? g_steal_pointer (&safe)
                                 : dn_table_shorten (safe, SHORT_WORDS_COLUMNS);
}

static void
add_step (DnTable *table, const Options *options, JsonObject *step)
{
  gint64 bytes = dn_answer_int (step, "size_bytes", -1);
  g_autofree char *layer = show_layer (options, step);
  g_autofree char *words = show_words (options, step);
  g_autofree char *created
      = dn_units_format_ago (dn_answer_int (step, "created_us", 0), g_get_real_time ());
  g_autofree char *size = bytes >= 0 ? dn_units_format_size (bytes) : g_strdup ("-");

  dn_table_add (table, layer, created, words, size, NULL);
}

static void
print_history (const Options *options, JsonArray *history)
{
  g_autoptr (DnTable) table = dn_table_new ("LAYER", "CREATED", "CREATED BY", "SIZE", NULL);

  for (guint i = 0; i < dn_answer_length (history); i++)
    {
      JsonObject *step = dn_answer_nth (history, i);
      g_autofree char *layer = step != NULL ? show_layer (options, step) : NULL;

      if (step == NULL)
        continue;
      if (options->is_quiet)
        dn_print_line (layer);
      else
        add_step (table, options, step);
    }
  if (!options->is_quiet)
    dn_print_table (table);
}

int
dn_cmd_image_history (DnCli *cli, char **words)
{
  Options options = { 0 };
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options.is_quiet, "Only the layers", NULL },
    { "no-trunc", 0, 0, G_OPTION_ARG_NONE, &options.is_untruncated, "Layers and words in full",
      NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, 1, &names, &status))
    return status;
  ok = dn_cli_call (cli, "image-history", dn_args_new ("image", names[0]), NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_array (dn_answer_array (ok, "history"));
  else
    print_history (&options, dn_answer_array (ok, "history"));
  return DN_EXIT_DONE;
}
