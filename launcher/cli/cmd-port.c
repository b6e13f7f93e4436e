/* SPDX-License-Identifier: Apache-2.0 */
/* danchi port: where a container's ports are published. */
#include <string.h>

#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "port-words.h"
#include "print.h"

/* "80" or "80/udp"; NULL: any. */
static gboolean
is_meant (JsonObject *port, const char *wanted)
{
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, dn_answer_int (port, "port", 0));
  g_autofree char *whole = g_strdup_printf ("%s/%s", number, dn_answer_text (port, "protocol"));

  return wanted == NULL || g_ascii_strcasecmp (wanted, whole) == 0
         || (g_str_equal (wanted, number)
             && g_str_equal (dn_answer_text (port, "protocol"), "tcp"));
}

static void
show (JsonObject *port, gboolean is_one)
{
  g_autofree char *host = dn_port_words_host (port);

  if (is_one)
    g_print ("%s\n", host);
  else
    g_print ("%" G_GINT64_FORMAT "/%s -> %s\n", dn_answer_int (port, "port", 0),
             dn_answer_text (port, "protocol"), host);
}

int
dn_cmd_port (DnCli *cli, char **words)
{
  const GOptionEntry none[] = { DN_OPTION_END };
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (JsonArray) meant = json_array_new ();
  JsonArray *ports;
  JsonObject *args;
  int status;

  if (!dn_options_parse (cli, none, DN_OPTIONS_ANYWHERE, words, 1, 2, &names, &status))
    return status;
  args = dn_args_new ("name", names[0]);
  json_object_set_string_member (args, "kind", "container");
  ok = dn_cli_call (cli, "inspect", args, NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  ports = dn_answer_array (dn_answer_object (ok, "object"), "ports");
  for (guint i = 0; i < dn_answer_length (ports); i++)
    {
      JsonObject *port = dn_answer_nth (ports, i);

      if (port != NULL && is_meant (port, names[1]))
        json_array_add_object_element (meant, json_object_ref (port));
    }
  if (names[1] != NULL && json_array_get_length (meant) == 0)
    {
      dn_throw (&error, DN_ERROR_NOT_FOUND,
                "container '%s': port %s is not published\ndanchi port %s shows what is", names[0],
                names[1], names[0]);
      return dn_cli_fail (cli, error);
    }
  if (cli->is_json)
    {
      dn_print_array (meant);
      return DN_EXIT_DONE;
    }
  for (guint i = 0; i < json_array_get_length (meant); i++)
    show (json_array_get_object_element (meant, i), names[1] != NULL);
  return DN_EXIT_DONE;
}
