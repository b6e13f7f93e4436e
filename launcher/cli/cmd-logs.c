/* SPDX-License-Identifier: Apache-2.0 */
/* danchi logs: what a container wrote, out of the log's two halves.
 *
 * With -f the files are looked at ten times a second: the relay that writes them has no channel to
 * their readers, and needs none.  A second connection waits for the container's end. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "log-print.h"
#include "log-reader.h"
#include "options.h"
#include "units.h"

#define LOOK_MS 100

/* After the end, the log is complete when it stood still for this many looks: the relay drains the
 * last output after the end was reported. */
#define LOOKS_AFTER_END 4

typedef struct
{
  gboolean is_following;
  gboolean has_times;
  char *tail;
  char *since;
} LogsOptions;

static gboolean
fill_printing (const LogsOptions *options, DnLogPrinting *ret_printing, GError **error)
{
  gint64 since_us = 0;

  ret_printing->tail = -1;
  ret_printing->since_ns = G_MININT64;
  if (options->tail != NULL && !g_str_equal (options->tail, "all")
      && !dn_units_parse_int (options->tail, -1, G_MAXINT, &ret_printing->tail, error))
    {
      g_prefix_error (error, "--tail: ");
      return FALSE;
    }
  if (options->since != NULL)
    {
      if (!dn_units_parse_time (options->since, g_get_real_time (), &since_us, error))
        {
          g_prefix_error (error, "--since: ");
          return FALSE;
        }
      ret_printing->since_ns = since_us * 1000;
    }
  ret_printing->has_times = options->has_times;
  ret_printing->out = stdout;
  ret_printing->err = stderr;
  return TRUE;
}

/* Prints what there is.  Returns: how many records, or -1 with @error */
static int
print_all (DnLogReader *reader, DnLogPrinter *printer, GError **error)
{
  DnLogRecord record;
  int count = 0, r;

  while ((r = dn_log_reader_next (reader, &record, error)) > 0)
    {
      dn_log_printer_add (printer, &record);
      count = MIN (count + 1, G_MAXINT - 1);
    }
  if (r == 0)
    dn_log_printer_go_live (printer);
  fflush (stdout);
  return r < 0 ? -1 : count;
}

static gboolean
has_answer (int fd)
{
  struct pollfd pollfd = { .fd = fd, .events = POLLIN };
  int r = poll (&pollfd, 1, LOOK_MS);

  return r > 0;
}

/* Until the container has ended and its log stands still.  The answer to "container-wait" is not
 * read: that it came is all there is to know, an error (it was removed) as well. */
static gboolean
follow (DnCli *cli, const char *name, DnLogReader *reader, DnLogPrinter *printer, GError **error)
{
  gboolean has_ended = FALSE;
  int looks = 0;

  if (!dn_client_send (cli->client, "container-wait", dn_args_new ("container", name), NULL, error))
    return FALSE;
  while (looks < LOOKS_AFTER_END)
    {
      int count;

      if (has_ended)
        g_usleep (LOOK_MS * 1000);
      else
        has_ended = has_answer (dn_client_fd (cli->client));
      count = print_all (reader, printer, error);
      if (count < 0)
        return FALSE;
      looks = has_ended && count == 0 ? looks + 1 : 0;
    }
  return TRUE;
}

static int
logs (DnCli *cli, const LogsOptions *options, const char *name)
{
  DnLogPrinting printing = { .is_json = cli->is_json };
  DnClientCall call = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (DnLogReader) reader = NULL;
  g_autoptr (DnLogPrinter) printer = NULL;
  gboolean is_fine;

  if (!fill_printing (options, &printing, &error))
    return dn_cli_fail_usage_error (cli, error);
  ok = dn_cli_call (cli, "container-logs", dn_args_new ("container", name), &call, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (call.ret_fds.count != 2)
    {
      dn_throw (&error, DN_ERROR_PROTOCOL,
                "log: danchid sent %" G_GSIZE_FORMAT " descriptors, not 2", call.ret_fds.count);
      dn_fd_list_clear (&call.ret_fds);
      return dn_cli_fail (cli, error);
    }
  reader = dn_log_reader_new (call.ret_fds.fds[0], call.ret_fds.fds[1]);
  printer = dn_log_printer_new (&printing);
  is_fine = print_all (reader, printer, &error) >= 0;
  if (is_fine && options->is_following && dn_answer_is (ok, "is_running"))
    is_fine = follow (cli, name, reader, printer, &error);
  if (dn_log_reader_count_damaged (reader) > 0)
    dn_cli_note ("log: %" G_GUINT64_FORMAT " lines were no records and are left out",
                 dn_log_reader_count_damaged (reader));
  dn_fd_list_clear (&call.ret_fds);
  return is_fine ? DN_EXIT_DONE : dn_cli_fail (cli, error);
}

int
dn_cmd_logs (DnCli *cli, char **words)
{
  LogsOptions options = { 0 };
  g_auto (GStrv) names = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "follow", 'f', 0, G_OPTION_ARG_NONE, &options.is_following,
      "Go on until the container has ended", NULL },
    { "tail", 'n', 0, G_OPTION_ARG_FILENAME, &options.tail, "Only the last N lines, or all", "N" },
    { "since", 0, 0, G_OPTION_ARG_FILENAME, &options.since,
      "Only from then on: 2026-11-22T04:00:00Z, 10m", "TIME" },
    { "timestamps", 't', 0, G_OPTION_ARG_NONE, &options.has_times, "The time before each line",
      NULL },
    DN_OPTION_UNBUILT ("until", 0),
    DN_OPTION_UNBUILT ("details", 0),
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, 1, &names, &status))
    status = logs (cli, &options, names[0]);
  g_free (options.tail);
  g_free (options.since);
  return status;
}
