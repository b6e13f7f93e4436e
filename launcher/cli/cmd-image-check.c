/* SPDX-License-Identifier: Apache-2.0 */
/* danchi image check: asks the registries for newer images. */
#include <stdio.h>

#include "answer.h"
#include "auth-file.h"
#include "commands.h"
#include "escape.h"
#include "image-check.h"
#include "options.h"
#include "print.h"

/* (transfer full): what danchid found, or NULL with @error */
static JsonObject *
check_one (DnCli *cli, JsonObject *image, const char *auth_file, GError **error)
{
  DnFdList fds = DN_FD_LIST_INIT;
  DnClientCall call = { .fds = &fds };
  g_autoptr (GError) local = NULL;
  JsonObject *ok;
  int fd = dn_auth_file_open (dn_answer_text (image, "reference"), auth_file, &local);

  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  if (fd >= 0)
    fds.fds[fds.count++] = fd;
  ok = dn_cli_call (cli, "image-check", dn_args_new ("image", dn_answer_text (image, "id")), &call,
                    error);
  dn_fd_list_clear (&fds);
  dn_fd_list_clear (&call.ret_fds);
  return ok;
}

/* Whether the image was pulled by a tag: only such a one can become stale. */
static gboolean
can_be_asked (JsonObject *image)
{
  return *dn_answer_text (image, "reference") != '\0';
}

static gboolean
is_wanted (JsonObject *image, char **names)
{
  JsonArray *all = dn_answer_array (image, "names");

  if (*names == NULL)
    return can_be_asked (image);
  for (; *names != NULL; names++)
    {
      if (g_str_has_prefix (dn_answer_text (image, "id"), *names))
        return TRUE;
      for (guint i = 0; i < dn_answer_length (all); i++)
        if (json_node_get_value_type (json_array_get_element (all, i)) == G_TYPE_STRING
            && g_str_equal (json_array_get_string_element (all, i), *names))
          return TRUE;
    }
  return FALSE;
}

static void
print_checked (JsonObject *image, JsonObject *newer)
{
  g_autofree char *reference = dn_escape_text (dn_answer_text (image, "reference"), -1);
  g_autofree char *digest = dn_escape_text (dn_answer_text (newer, "digest"), -1);

  if (dn_answer_is (newer, "is_stale"))
    printf ("%s: stale, the registry has sha256:%s\n", reference, digest);
  else
    printf ("%s: current\n", reference);
}

int
dn_image_check (DnCli *cli, char **names, const char *auth_file, gboolean is_quiet)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = dn_cli_call (cli, "image-list", NULL, NULL, &error);
  JsonArray *images = ok != NULL ? dn_answer_array (ok, "images") : NULL;
  g_autoptr (JsonArray) answers = json_array_new ();
  int status = DN_EXIT_DONE;
  guint asked = 0;

  if (ok == NULL)
    return dn_cli_fail (cli, error);
  for (guint i = 0; i < dn_answer_length (images) && cli->client != NULL; i++)
    {
      JsonObject *image = dn_answer_nth (images, i);
      g_autoptr (GError) local = NULL;
      g_autoptr (JsonObject) answer = NULL;

      if (image == NULL || !is_wanted (image, names))
        continue;
      asked++;
      answer = check_one (cli, image, auth_file, &local);
      if (answer == NULL)
        status = dn_cli_fail (cli, local);
      else if (cli->is_json)
        json_array_add_object_element (answers, json_object_ref (answer));
      else if (!is_quiet)
        print_checked (image, answer);
    }
  if (*names != NULL && asked == 0)
    {
      dn_cli_note ("no image has one of these names; see danchi images");
      return DN_EXIT_FAILED;
    }
  if (cli->is_json && !is_quiet)
    dn_print_array (answers);
  return status;
}

int
dn_cmd_image_check (DnCli *cli, char **words)
{
  g_autofree char *auth_file = NULL;
  g_auto (GStrv) names = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "authfile", 0, 0, G_OPTION_ARG_FILENAME, &auth_file, "Credentials from this file alone",
      "FILE" },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, G_MAXUINT, &names, &status))
    return status;
  return dn_image_check (cli, names, auth_file, FALSE);
}
