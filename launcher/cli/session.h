/* SPDX-License-Identifier: Apache-2.0 */
/* A session from the command's side: terminal, pump, and the exit status that comes of it.
 *
 * For run, exec, start -a and attach, which differ only in how they come by the descriptors.
 */
#pragma once

#include "cli.h"
#include "session-pump.h"

typedef struct
{
  gboolean wants_stdin;  /* -i */
  gboolean has_terminal; /* the process has one: -t */
  gboolean no_signals;   /* --sig-proxy=false */
  char *detach_keys;     /* NULL: the default */
  const char *process;   /* what to call it when the session is left; borrowed */
  gint64 ret_exited_us;  /* (out): monotonic; 0 when it was left */
} DnSessionOptions;

/* Before anything is started: -it wants a terminal, the detach keys must be right.
 * DN_ERROR_USAGE. */
gboolean dn_session_check (const DnSessionOptions *options, GError **error);

/* {"attach": [...], "rows": .., "columns": ..} for the request. */
void dn_session_fill_args (const DnSessionOptions *options, JsonObject *args);

/* Likewise, without the size: for container-attach. */
void dn_session_fill_attach (const DnSessionOptions *options, JsonObject *args);

/* Runs the session over @fds (taken over).  Returns: the exit status; errors are printed. */
int dn_session_run (DnCli *cli, DnSessionOptions *options, DnFdList *fds);
