/* SPDX-License-Identifier: Apache-2.0 */
/* Moves the bytes of a session (launcher/base/session.h) between its four sockets and the user's
 * standard input, output and error.
 *
 * A thread for each direction with plain blocking calls, because the user's descriptors are shared
 * with the shell and everybody else who has them: O_NONBLOCK would leak to all of those.  So a
 * reader that stops (`danchi run ... | less`) holds up its own stream and nothing else; the calling
 * thread serves control messages, signals and resizes meanwhile.
 *
 * End of file on standard input is passed on.  Where the user's end of an output closes, that
 * output is given up and the process goes on.  The session has ended when the process has *and*
 * everything it wrote has been written here.
 *
 * Signals: while it runs, those named below are blocked in all threads and read by the caller's.
 * SIGPIPE is ignored from then on.
 */
#pragma once

#include <glib.h>

#include "../base/fdpass.h"
#include "detach-keys.h"

typedef struct
{
  DnFdList *fds;          /* control, stdin, stdout, stderr: taken over, also on failure */
  gboolean has_stdin;     /* pass standard input on */
  gboolean is_raw;        /* the terminal is raw: signals are for us, not for the process */
  gboolean is_resizing;   /* the process has a terminal: tell it our size and every change */
  gboolean sends_signals; /* without is_raw: SIGINT, SIGTERM ... go to the process */
  DnDetachKeys detach;    /* with is_raw */
} DnSessionPlan;

typedef enum
{
  DN_SESSION_ENDED,    /* the process has */
  DN_SESSION_DETACHED, /* the user left by the detach keys */
  DN_SESSION_LOST,     /* the guest or the relay is gone, or broke the protocol */
} DnSessionOutcome;

typedef struct
{
  DnSessionOutcome outcome;
  guint32 code;
  guint32 signal; /* 0: the process ended by itself, with @code */
  guint32 oom_kills;
  char *reason;     /* owned; with LOST */
  gint64 exited_us; /* monotonic: when the end was reported, before the rest was written */
} DnSessionResult;

/* Runs the session to its end.  DN_ERROR_PROTOCOL when there are not four descriptors,
 * DN_ERROR_FAILED when threads or descriptors are short. */
gboolean dn_session_pump_run (const DnSessionPlan *plan, DnSessionResult *ret_result,
                              GError **error);
