/* SPDX-License-Identifier: Apache-2.0 */
/* danchi audit: this host and its contexts as an auditor sees them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/json.h"
#include "../common/state-file.h"
#include "../report/report.h"
#include "../survey/finding.h"
#include "../survey/record-state.h"
#include "../survey/survey.h"
#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "record-place.h"
#include "terminal.h"

#define PAGE_COLUMNS 100
#define IMAGE_AGE_MAX_DAYS 36500

typedef struct
{
  char *output;    /* owned; NULL: standard output */
  char *threshold; /* owned; as given */
  gint image_age_days;
  DnSeverity fail_on;
} Options;

static void
clear_options (Options *options)
{
  g_free (options->output);
  g_free (options->threshold);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

static gboolean
check_options (Options *options, GError **error)
{
  if (options->threshold != NULL
      && (!dn_severity_parse (options->threshold, &options->fail_on)
          || options->fail_on == DN_SEVERITY_INFO))
    return dn_throw (error, DN_ERROR_USAGE,
                     "--fail-on: '%s': must be low, medium, high or critical", options->threshold);
  if (options->image_age_days < 1 || options->image_age_days > IMAGE_AGE_MAX_DAYS)
    return dn_throw (error, DN_ERROR_USAGE, "--max-image-age: '%d': must be from 1 to %d days",
                     options->image_age_days, IMAGE_AGE_MAX_DAYS);
  return TRUE;
}

/* (transfer full); ends with a newline */
static char *
render (const DnCli *cli, JsonObject *document, gboolean is_to_terminal)
{
  guint16 rows, columns;
  g_autofree char *text = NULL;

  if (cli->is_html)
    return dn_report_html (document);
  if (cli->is_json)
    {
      g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
      g_autofree char *json = NULL;

      json_node_set_object (node, document);
      json = dn_json_to_text (node, TRUE);
      text = dn_escape_json (json);
      return g_strconcat (text, "\n", NULL);
    }
  dn_terminal_get_size (&rows, &columns);
  return dn_report_text (document, is_to_terminal && g_getenv ("NO_COLOR") == NULL,
                         is_to_terminal && columns > 0 ? columns : PAGE_COLUMNS);
}

/* Into what is no file: a pipe, a terminal, /dev/null. */
static gboolean
write_stream (const char *path, const char *text, GError **error)
{
  dn_autofd int fd = open (path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
  gsize left = strlen (text);

  if (fd < 0)
    return dn_throw_errno (error, "'%s'", path);
  while (left > 0)
    {
      ssize_t n = write (fd, text, left);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return dn_throw_errno (error, "'%s'", path);
      text += n;
      left -= (gsize) n;
    }
  return TRUE;
}

/* A file is written whole or not at all, and for root's eyes: it says where this host is weak. */
static gboolean
write_out (const char *path, const char *text, GError **error)
{
  struct stat status;

  if (path == NULL || g_str_equal (path, "-"))
    {
      fputs (text, stdout);
      return TRUE;
    }
  if (stat (path, &status) == 0 && !S_ISREG (status.st_mode))
    return write_stream (path, text, error);
  return dn_state_file_write_text (path, text, strlen (text), 0600, error);
}

/* (transfer full) */
static JsonObject *
make_document (JsonObject *answer, const Options *options)
{
  const DnFindingLimits limits = { .image_age_days = (guint) options->image_age_days };
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *record = dn_record_place_directory ();
  g_autofree char *anchor = dn_record_place_anchor ();
  JsonObject *document = dn_survey_make ("/", now, answer);

  json_object_set_object_member (document, "record", dn_record_state_read (record, anchor));
  dn_finding_conclude (document, &limits);
  return document;
}

static int
audit (DnCli *cli, const Options *options, GError **error)
{
  g_autoptr (JsonObject) answer = NULL, document = NULL;
  g_autofree char *text = NULL;

  if (geteuid () != 0)
    {
      dn_throw (
          error, DN_ERROR_DENIED,
          "audit: only root may see all of this host\nrun it with sudo; see danchi doctor for "
          "what everybody may know");
      return DN_EXIT_FAILED;
    }
  answer = dn_cli_call (cli, "audit", NULL, NULL, error);
  if (answer == NULL)
    return DN_EXIT_FAILED;
  document = make_document (answer, options);
  text = render (cli, document, options->output == NULL && isatty (STDOUT_FILENO) == 1);
  if (!write_out (options->output, text, error))
    return DN_EXIT_FAILED;
  return dn_finding_reaches (dn_answer_array (document, "findings"), options->fail_on)
             ? DN_EXIT_FAILED
             : DN_EXIT_DONE;
}

int
dn_cmd_audit (DnCli *cli, char **words)
{
  g_auto (Options) options
      = { .image_age_days = DN_FINDING_IMAGE_AGE_DAYS, .fail_on = DN_SEVERITY_HIGH };
  g_auto (GStrv) none = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
      "Write to a file instead of standard output", "FILE" },
    { "fail-on", 0, 0, G_OPTION_ARG_FILENAME, &options.threshold,
      "Exit with 1 from then on: low, medium, high (default), critical", "SEVERITY" },
    { "max-image-age", 0, 0, G_OPTION_ARG_INT, &options.image_age_days,
      "Older images are findings (default: 90)", "DAYS" },
    DN_OPTION_END,
  };

  cli->takes_html = TRUE;
  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    return status;
  if (!check_options (&options, &error))
    return dn_cli_fail_usage_error (cli, error);
  status = audit (cli, &options, &error);
  return error != NULL ? dn_cli_fail (cli, error) : status;
}
