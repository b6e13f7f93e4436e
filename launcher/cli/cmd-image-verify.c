/* SPDX-License-Identifier: Apache-2.0 */
/* danchi image verify: what the store holds against what it should hold. */
#include <stdio.h>

#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"
#include "units.h"

static void
print_damage (JsonObject *one)
{
  g_autofree char *what = dn_escape_text (dn_answer_text (one, "what"), -1);
  g_autofree char *problem = dn_escape_text (dn_answer_text (one, "problem"), -1);
  g_autofree char *remedy = dn_escape_text (dn_answer_text (one, "remedy"), -1);

  printf ("%s: %s\n", what, problem);
  if (*remedy != '\0')
    printf ("  remedy: %s\n", remedy);
}

static void
print_verified (JsonObject *ok, gboolean is_quiet)
{
  JsonArray *damaged = dn_answer_array (ok, "damaged");
  g_autofree char *bytes = dn_units_format_size (dn_answer_int (ok, "bytes", 0));

  for (guint i = 0; i < dn_answer_length (damaged); i++)
    if (dn_answer_nth (damaged, i) != NULL)
      print_damage (dn_answer_nth (damaged, i));
  if (is_quiet)
    return;
  printf ("%d images, %d layers, %d blobs, %s read: ", (int) dn_answer_int (ok, "images", 0),
          (int) dn_answer_int (ok, "layers", 0), (int) dn_answer_int (ok, "blobs", 0), bytes);
  if (damaged == NULL)
    printf ("danchid does not say whether it is sound\n");
  else if (dn_answer_length (damaged) == 0)
    printf ("sound\n");
  else
    printf ("%u damaged\n", dn_answer_length (damaged));
}

int
dn_cmd_image_verify (DnCli *cli, char **words)
{
  gboolean is_quiet = FALSE, is_all = FALSE;
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args;
  int status;

  const GOptionEntry entries[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, &is_all,
      "The whole store, as without names: also what belongs to no image", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &is_quiet, "Only what is damaged", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, G_MAXUINT, &names, &status))
    return status;
  if (is_all && *names != NULL)
    return dn_cli_fail_usage (cli, "--all and names of images exclude each other");
  args = json_object_new ();
  if (*names != NULL)
    dn_args_set_list (args, "images", names);
  ok = dn_cli_call (cli, "image-verify", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  else
    print_verified (ok, is_quiet);
  /* No list of damage is no proof that there is none. */
  return dn_answer_array (ok, "damaged") != NULL
                 && dn_answer_length (dn_answer_array (ok, "damaged")) == 0
             ? DN_EXIT_DONE
             : DN_EXIT_FAILED;
}
