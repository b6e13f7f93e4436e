/* SPDX-License-Identifier: Apache-2.0 */
/* One call of `danchi`: its global options, its connection to danchid, and how it ends.
 *
 * main() makes one DnCli, finds the command in the table (commands.h) and calls its function, which
 * parses its own words (options.h), asks danchid (dn_cli_call()) and prints.  A command never exits
 * by itself: it returns its exit status.
 *
 * Exit statuses: 0 done, 1 failed, 2 wrong usage.  Commands that end with a process's own status
 * (run, exec, start -a, attach) say 125 where Danchi failed, wrong usage included, so that 1 and 2
 * are always the process's; 126 and 127 where its command could not be executed or found.
 *
 * Errors are one line on stderr, "danchi: what: why", and a "hint: ..." line where there is a next
 * step.  Whatever comes from a guest, an image or another user is escaped before it is printed.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../base/fdpass.h"
#include "client.h"
#include "command.h"

typedef enum
{
  DN_EXIT_DONE = 0,
  DN_EXIT_FAILED = 1,
  DN_EXIT_USAGE = 2,
  DN_EXIT_DANCHI_FAILED = 125,
  DN_EXIT_CANNOT_RUN = 126,
  DN_EXIT_NO_COMMAND = 127,
  DN_EXIT_SIGNAL_BASE = 128,
} DnExit;

struct DnCli
{
  const DnCommand *command; /* the one that runs */
  char *command_words;      /* owned: "run", "context ls" */
  char *socket_path;        /* owned; as given, NULL: DANCHI_SOCKET or the default */
  char *format;             /* owned; as given */
  gboolean is_json;
  gboolean is_html;
  gboolean takes_html;     /* a command that sets it prints HTML too, if told so */
  gboolean takes_archives; /* --format is an archive's, "docker" or "oci": save */
  gboolean allow_emulation;
  gboolean is_session; /* --session, or DANCHI_SESSION=1 */
  gboolean is_verbose;
  gboolean has_process_status; /* ends with 125 .. 127 rather than 1 and 2 */
  DnClient *client;            /* owned; NULL until the first call */
  int console_fd;              /* owned; the ring that came with the last error, or -1 */
};

/* The one set of global options, ready for parsing. */
void dn_cli_init (DnCli *cli);
void dn_cli_clear (DnCli *cli);

/**
 * dn_cli_call:
 * @verb: of docs/api.md
 * @args: (transfer full) (nullable): no arguments
 * @call: (nullable): descriptors and events, where the verb has any
 *
 * Connects where that has not happened yet, sends the request and waits for the answer, showing
 * progress on a terminal.
 *
 * Returns: (transfer full): the "ok" object; NULL with the error danchid sent (its hint after a
 *   newline), or with one of dn_client_connect()
 */
JsonObject *dn_cli_call (DnCli *cli, const char *verb, JsonObject *args, DnClientCall *call,
                         GError **error);

/* Says on stderr, with the remedy, that @danchid is not this danchi's version; nothing where it is.
 * Returns: whether it was said.  dn_cli_call() does so after a request that danchid did not
 * understand. */
gboolean dn_cli_note_version (const char *danchid);

/* Connects now, where the moment matters; otherwise dn_cli_call() does. */
gboolean dn_cli_connect (DnCli *cli, GError **error);

/* Prints @error and, where it came with a guest's console, that console's last lines.
 * Returns: the exit status that goes with the error's code */
int dn_cli_fail (DnCli *cli, const GError *error);

/* Likewise for a mistake in the user's words; the hint names the command's --help. */
int dn_cli_fail_usage (DnCli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Likewise for an error that a parser set: "danchi: run: --memory: ...". */
int dn_cli_fail_usage_error (DnCli *cli, const GError *error);

/* The same lines without ending anything: for commands that go on with the next name. */
void dn_cli_report (const GError *error);

/* A remark on stderr: "danchi: ...", escaped, one line. */
void dn_cli_note (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* The exit status for @error's code. */
int dn_cli_status_of (const DnCli *cli, const GError *error);

/* All of danchi but the process's entry, so that tests can be danchi.  Returns: the exit status */
int dn_cli_main (int argc, char **argv);
