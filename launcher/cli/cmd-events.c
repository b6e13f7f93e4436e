/* SPDX-License-Identifier: Apache-2.0 */
/* danchi events: what happened, and what happens.
 *
 * Alone it follows; with --since or --until it prints what is recorded and ends, unless -f says to
 * go on. */
#include <stdio.h>

#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"
#include "units.h"

typedef struct
{
  char *since;
  char *until;
  gboolean is_following;
} EventsOptions;

typedef struct
{
  gboolean is_json;
  gint64 until_us; /* 0: without end */
} Printing;

static void
append_attributes (GString *line, JsonObject *attributes)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, attributes);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      g_autofree char *value
          = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
                ? json_node_dup_string (node)
                : json_to_string (node, FALSE);

      g_string_append_printf (line, "%s%s=%s", line->len > 0 ? ", " : "", name, value);
    }
}

static void
print_event (JsonObject *event)
{
  g_autoptr (GDateTime) utc
      = g_date_time_new_from_unix_utc (dn_answer_int (event, "time_us", 0) / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  g_autofree char *day = local != NULL ? g_date_time_format (local, "%Y-%m-%dT%H:%M:%S") : NULL;
  g_autofree char *zone = local != NULL ? g_date_time_format (local, "%:z") : NULL;
  JsonObject *attributes = dn_answer_object (event, "attributes");
  const char *context = dn_answer_text (event, "context");
  g_autoptr (GString) more = g_string_new (NULL);
  g_autoptr (GString) line = g_string_new (NULL);

  if (*context != '\0')
    g_string_append_printf (more, "context=%s", context);
  if (attributes != NULL)
    append_attributes (more, attributes);
  g_string_printf (line, "%s.%06d%s %s %s %s%s%s%s", day != NULL ? day : "",
                   (int) (dn_answer_int (event, "time_us", 0) % G_USEC_PER_SEC),
                   zone != NULL ? zone : "", dn_answer_text (event, "type"),
                   dn_answer_text (event, "action"), dn_answer_text (event, "name"),
                   more->len > 0 ? " (" : "", more->str, more->len > 0 ? ")" : "");
  dn_print_line (line->str);
  fflush (stdout);
}

static gboolean
take_event (JsonObject *event, DnFdList *fds, gpointer data, GError **error)
{
  const Printing *printing = data;

  (void) fds;
  (void) error;
  if (printing->until_us > 0 && dn_answer_int (event, "time_us", 0) > printing->until_us)
    return TRUE;
  if (printing->is_json)
    dn_print_object_line (event);
  else
    print_event (event);
  return TRUE;
}

static int
events (DnCli *cli, const EventsOptions *options)
{
  Printing printing = { .is_json = cli->is_json };
  DnClientCall call = { .event = take_event, .data = &printing };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args;
  gint64 now = g_get_real_time (), since = -1;
  gboolean is_following
      = options->is_following || (options->since == NULL && options->until == NULL);

  if (options->since != NULL && !dn_units_parse_time (options->since, now, &since, &error))
    return dn_cli_fail_usage (cli, "--since: %s", error->message);
  if (options->until != NULL
      && !dn_units_parse_time (options->until, now, &printing.until_us, &error))
    return dn_cli_fail_usage (cli, "--until: %s", error->message);
  if (printing.until_us > now)
    {
      is_following = TRUE;
      call.deadline_us = printing.until_us;
    }
  args = json_object_new ();
  if (since >= 0 || !is_following)
    json_object_set_int_member (args, "since_us", MAX (since, 0));
  json_object_set_boolean_member (args, "follow", is_following);
  ok = dn_cli_call (cli, "events", args, &call, &error);
  dn_fd_list_clear (&call.ret_fds);
  return ok != NULL || call.has_passed ? DN_EXIT_DONE : dn_cli_fail (cli, error);
}

int
dn_cmd_events (DnCli *cli, char **words)
{
  EventsOptions options = { 0 };
  g_auto (GStrv) none = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "since", 0, 0, G_OPTION_ARG_FILENAME, &options.since, "What was recorded since, then end",
      "TIME" },
    { "until", 0, 0, G_OPTION_ARG_FILENAME, &options.until, "End there", "TIME" },
    { "follow", 'f', 0, G_OPTION_ARG_NONE, &options.is_following, "Go on after --since", NULL },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    status = events (cli, &options);
  g_free (options.since);
  g_free (options.until);
  return status;
}
