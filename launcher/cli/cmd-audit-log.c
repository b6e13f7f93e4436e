/* SPDX-License-Identifier: Apache-2.0 */
/* danchi audit log: what the audit record says, filtered.
 *
 * Whether it is true, danchi audit verify-log says.  A line that cannot be read is left out here
 * and counted. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../record/files.h"
#include "answer.h"
#include "commands.h"
#include "options.h"
#include "print.h"
#include "record-place.h"
#include "units.h"

#define FOLLOW_US (200 * 1000)

typedef struct
{
  char *since; /* owned, as are all of these */
  char *until;
  char *context;
  char *user;
  char *verb;
  char *decision;
  gboolean is_following;
} LogOptions;

typedef struct
{
  const LogOptions *options;
  gboolean is_json;
  gint64 since_us;
  gint64 until_us; /* 0: no end */
  gint64 uid;      /* -1: all */
  guint64 unread;
  gboolean is_over;
} Printing;

/* Adds ", NAME VALUE" for a text that there is. */
static void
append (GString *line, const char *name, const char *value)
{
  if (*value != '\0')
    g_string_append_printf (line, ", %s %s", name, value);
}

static const char *
inner_text (JsonObject *line, const char *object, const char *name)
{
  JsonObject *inner = dn_answer_object (line, object);

  return inner != NULL ? dn_answer_text (inner, name) : "";
}

static void
print_line (JsonObject *line)
{
  gint64 time_us = dn_answer_int (line, "time_us", 0);
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  g_autofree char *day = local != NULL ? g_date_time_format (local, "%Y-%m-%dT%H:%M:%S") : NULL;
  g_autofree char *zone = local != NULL ? g_date_time_format (local, "%:z") : NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  JsonObject *who = dn_answer_object (line, "who");
  const char *decision = dn_answer_text (line, "decision"), *rule = dn_answer_text (line, "rule");

  g_string_printf (text, "%s.%06d%s %" G_GINT64_FORMAT " %s %s uid %" G_GINT64_FORMAT,
                   day != NULL ? day : "", (int) (time_us % G_USEC_PER_SEC),
                   zone != NULL ? zone : "", dn_answer_int (line, "seq", 0),
                   dn_answer_text (line, "verb"), dn_answer_text (line, "phase"),
                   who != NULL ? dn_answer_int (who, "uid", -1) : -1);
  append (text, "by", inner_text (line, "who", "command"));
  append (text, "context", inner_text (line, "context", "name"));
  append (text, "container", inner_text (line, "container", "name"));
  append (text, "image", inner_text (line, "image", "name"));
  append (text, "profile", inner_text (line, "profile", "name"));
  if (*decision != '\0')
    g_string_append_printf (text, ", %s%s%s%s", decision, *rule != '\0' ? " (" : "", rule,
                            *rule != '\0' ? ")" : "");
  append (text, "outcome", dn_answer_text (line, "outcome"));
  append (text, "message", dn_answer_text (line, "message"));
  dn_print_line (text->str);
}

static gboolean
is_wanted (const Printing *printing, JsonObject *line)
{
  const LogOptions *options = printing->options;
  JsonObject *who = dn_answer_object (line, "who");

  return dn_answer_int (line, "time_us", 0) >= printing->since_us
         && (options->context == NULL
             || g_str_equal (inner_text (line, "context", "name"), options->context))
         && (options->verb == NULL || g_str_equal (dn_answer_text (line, "verb"), options->verb))
         && (options->decision == NULL
             || g_str_equal (dn_answer_text (line, "decision"), options->decision))
         && (printing->uid < 0 || (who != NULL && dn_answer_int (who, "uid", -1) == printing->uid));
}

static gboolean
take_line (const char *text, gsize size, gboolean is_whole, gpointer data)
{
  Printing *printing = data;
  g_autoptr (JsonNode) node = NULL;
  JsonObject *line;

  if (!is_whole)
    return TRUE;
  node = dn_json_parse (text, size, DN_RECORD_LINE_MAX_BYTES, "line", NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    {
      printing->unread++;
      return TRUE;
    }
  line = json_node_get_object (node);
  /* Times never go backwards in a record. */
  printing->is_over
      = printing->until_us > 0 && dn_answer_int (line, "time_us", 0) > printing->until_us;
  if (printing->is_over)
    return FALSE;
  if (!is_wanted (printing, line))
    return TRUE;
  if (printing->is_json)
    dn_print_object_line (line);
  else
    print_line (line);
  return TRUE;
}

/* Reads on from @offset of file @number, over all that follow; both are moved on. */
static gboolean
read_on (const char *directory, guint *number, gint64 *offset, Printing *printing, GError **error)
{
  g_autoptr (GArray) numbers = dn_record_files_list (directory, error);

  if (numbers == NULL)
    return FALSE;
  for (guint i = 0; i < numbers->len && !printing->is_over; i++)
    {
      guint next = g_array_index (numbers, guint, i);
      g_autofree char *name = dn_record_file_name (next);
      g_autofree char *path = g_build_filename (directory, name, NULL);

      if (next < *number)
        continue;
      if (!dn_record_file_read (path, next == *number ? *offset : 0, take_line, printing, offset,
                                error))
        return FALSE;
      *number = next;
    }
  return TRUE;
}

static gboolean
parse_user (const char *text, gint64 *ret_uid, GError **error)
{
  struct passwd *entry;

  if (text == NULL || dn_units_parse_int (text, 0, G_MAXUINT32, ret_uid, NULL))
    return TRUE;
  entry = getpwnam (text);
  if (entry == NULL)
    return dn_throw (error, DN_ERROR_USAGE, "there is no such user, and it is no uid");
  *ret_uid = entry->pw_uid;
  return TRUE;
}

static int
print_log (DnCli *cli, const LogOptions *options, const char *given)
{
  Printing printing = { .options = options, .is_json = cli->is_json, .uid = -1 };
  g_autofree char *own = dn_record_place_directory ();
  const char *directory = given != NULL ? given : own;
  gint64 now_us = g_get_real_time (), offset = 0;
  g_autoptr (GError) error = NULL;
  guint number = 0;

  if (options->since != NULL
      && !dn_units_parse_time (options->since, now_us, &printing.since_us, &error))
    return dn_cli_fail_usage (cli, "--since: %s", error->message);
  if (options->until != NULL
      && !dn_units_parse_time (options->until, now_us, &printing.until_us, &error))
    return dn_cli_fail_usage (cli, "--until: %s", error->message);
  if (!parse_user (options->user, &printing.uid, &error))
    return dn_cli_fail_usage (cli, "--user: %s", error->message);
  if (options->decision != NULL && !g_str_equal (options->decision, "allow")
      && !g_str_equal (options->decision, "deny"))
    return dn_cli_fail_usage (cli, "--decision: must be allow or deny");
  for (;;)
    {
      if (!read_on (directory, &number, &offset, &printing, &error))
        return dn_cli_fail (cli, error);
      if (fflush (stdout) != 0 || !options->is_following || printing.is_over
          || (printing.until_us > 0 && g_get_real_time () > printing.until_us))
        break;
      g_usleep (FOLLOW_US);
    }
  if (printing.unread > 0)
    dn_cli_note ("%" G_GUINT64_FORMAT " lines cannot be read: see danchi audit verify-log",
                 printing.unread);
  return DN_EXIT_DONE;
}

int
dn_cmd_audit_log (DnCli *cli, char **words)
{
  LogOptions options = { 0 };
  g_auto (GStrv) rest = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "since", 0, 0, G_OPTION_ARG_FILENAME, &options.since, "Lines since then", "TIME" },
    { "until", 0, 0, G_OPTION_ARG_FILENAME, &options.until, "Lines until then", "TIME" },
    { "context", 0, 0, G_OPTION_ARG_FILENAME, &options.context, "Lines about this context",
      "NAME" },
    { "user", 0, 0, G_OPTION_ARG_FILENAME, &options.user, "Lines of this user's requests", "USER" },
    { "verb", 0, 0, G_OPTION_ARG_FILENAME, &options.verb,
      "Lines with this verb, such as container-run", "VERB" },
    { "decision", 0, 0, G_OPTION_ARG_FILENAME, &options.decision,
      "Lines with this decision: allow or deny", "WORD" },
    { "follow", 'f', 0, G_OPTION_ARG_NONE, &options.is_following, "Go on with what is recorded",
      NULL },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 1, &rest, &status))
    status = print_log (cli, &options, rest[0]);
  g_free (options.since);
  g_free (options.until);
  g_free (options.context);
  g_free (options.user);
  g_free (options.verb);
  g_free (options.decision);
  return status;
}
