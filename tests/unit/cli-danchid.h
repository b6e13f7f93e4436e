/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the command line: a danchid that answers from a list, and danchi as a process.
 *
 * The test program itself is danchi when it is started with DN_TEST_DANCHI in its environment; a
 * test's main() begins with cli_danchid_be_danchi().
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../../launcher/base/fdpass.h"

/* One message of danchid's with its descriptors. */
typedef struct
{
  char *text;   /* owned JSON */
  DnFdList fds; /* owned */
} CliAnswer;

typedef struct CliDanchid CliDanchid;

/* Becomes danchi and exits, if this process was started as one. */
void cli_danchid_be_danchi (int argc, char **argv);

/* Listens in a fresh directory.  Each request takes answers off the list up to one that is an "ok"
 * or an "error"; without any left it gets an error that says so. */
CliDanchid *cli_danchid_new (void);
void cli_danchid_free (CliDanchid *danchid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliDanchid, cli_danchid_free)

const char *cli_danchid_socket (CliDanchid *danchid);

/* Appends an answer; @fds (may be NULL) are taken over. */
void cli_danchid_add (CliDanchid *danchid, const char *text, const DnFdList *fds);

/* The requests so far, one to a line; empties the list. (transfer full) */
char *cli_danchid_take_requests (CliDanchid *danchid);

typedef struct
{
  char *out; /* owned */
  char *err; /* owned */
  int status;
} CliResult;

void cli_result_clear (CliResult *result);

/* Runs danchi with @words against @danchid; @input (may be NULL) is its standard input. */
void cli_danchid_run (CliDanchid *danchid, char **words, const char *input, CliResult *ret_result);

/* Starts danchi with these descriptors as its standard ones.  Returns: its process id */
int cli_danchid_start (CliDanchid *danchid, char **words, const int fds[3]);
