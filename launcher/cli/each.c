/* SPDX-License-Identifier: Apache-2.0 */
#include "each.h"

#include "options.h"
#include "print.h"
#include "units.h"

static JsonObject *
copy_args (JsonObject *args, const char *member, const char *name)
{
  JsonObject *copy = json_object_new ();
  JsonObjectIter iter;
  const char *key;
  JsonNode *node;

  json_object_set_string_member (copy, member, name);
  if (args == NULL)
    return copy;
  json_object_iter_init (&iter, args);
  while (json_object_iter_next (&iter, &key, &node))
    json_object_set_member (copy, key, json_node_copy (node));
  return copy;
}

typedef void (*PrintFunc) (const char *name, JsonObject *ok);

static int
call_each (DnCli *cli, const char *verb, const char *member, char **names, JsonObject *args,
           PrintFunc print, DnClientCall *call)
{
  g_autoptr (JsonArray) answers = json_array_new ();
  int status = DN_EXIT_DONE;

  for (; *names != NULL; names++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) ok
          = dn_cli_call (cli, verb, copy_args (args, member, *names), call, &error);

      if (call != NULL)
        dn_fd_list_clear (&call->ret_fds);
      if (ok == NULL)
        {
          status = dn_cli_fail (cli, error);
          if (cli->client == NULL)
            break; /* no danchid: the others would only say so again */
        }
      else if (cli->is_json)
        json_array_add_object_element (answers, json_object_ref (ok));
      else if (print != NULL)
        print (*names, ok);
      else
        dn_print_line (*names);
    }
  if (cli->is_json && (cli->client != NULL || status == DN_EXIT_DONE))
    dn_print_array (answers);
  return status;
}

int
dn_each_call (DnCli *cli, const char *verb, const char *member, char **names, JsonObject *args,
              void (*print) (const char *name, JsonObject *ok))
{
  return call_each (cli, verb, member, names, args, print, NULL);
}

int
dn_each_call_with (DnCli *cli, const char *verb, const char *member, char **names, JsonObject *args,
                   DnClientCall *call)
{
  return call_each (cli, verb, member, names, args, NULL, call);
}

int
dn_each_run_plain (DnCli *cli, const char *verb, const char *member, char **words)
{
  const GOptionEntry none[] = { DN_OPTION_END };
  g_auto (GStrv) names = NULL;
  int status;

  if (!dn_options_parse (cli, none, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  return dn_each_call (cli, verb, member, names, NULL, NULL);
}

static gboolean
read_time (DnCli *cli, const char *text, JsonObject *args, int *ret_status)
{
  g_autoptr (GError) error = NULL;
  gint64 seconds = -1;

  if (text != NULL && !dn_units_parse_int (text, -1, DN_EACH_PATIENT_S, &seconds, &error))
    {
      *ret_status = dn_cli_fail_usage (cli, "--time: %s", error->message);
      return FALSE;
    }
  json_object_set_int_member (args, "timeout_s", seconds);
  return TRUE;
}

int
dn_each_run_timed (DnCli *cli, const char *verb, const char *member, const char *flag,
                   JsonObject *args, char **words)
{
  g_autofree char *timeout = NULL;
  g_auto (GStrv) names = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "time", 't', 0, G_OPTION_ARG_FILENAME, &timeout, flag, "SECONDS" },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status)
      || !read_time (cli, timeout, args, &status))
    return status;
  return dn_each_call (cli, verb, member, names, args, NULL);
}
