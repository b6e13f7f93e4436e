/* SPDX-License-Identifier: Apache-2.0 */
/* A process's standard streams: between what the client named (log-uri.h) and the sockets of its
 * session (launcher/base/session.h).
 *
 * A named pipe is opened for reading and writing both: so no open blocks, and a containerd that is
 * restarted finds pipe and bytes as they were, while the process just waits.  Standard input ends
 * when the client says so and has written all: dn_stdio_close_stdin(); of a client that never says
 * so, when it has closed the pipe.
 *
 * No output is lost at the end: all of it is written, then the readers of pipes are waited for
 * until they have taken it, and only then are the pipes closed and is the end told.  A reader that
 * takes nothing for %DN_STDIO_PATIENCE_MS is not waited for any longer.
 */
#pragma once

#include <glib.h>

#define DN_STDIO_PATIENCE_MS 10000

typedef struct DnStdio DnStdio;

typedef struct
{
  const char *in; /* as the client named it; "": none */
  const char *out;
  const char *err;
  gboolean has_terminal;     /* then @err is not opened: all comes as output */
  gboolean ends_with_client; /* the input, once its client closes the pipe: as ctr means it */
  const char *id;            /* the container's, for a log program */
  const char *name_space;
} DnStdioPlan;

/* Opens what the plan names; may block on a log program, so it is called beside the main loop.
 * DN_ERROR_USAGE, DN_ERROR_NOT_FOUND, DN_ERROR_FAILED.  (transfer full) */
DnStdio *dn_stdio_open (const DnStdioPlan *plan, GError **error);

/* Closes all without waiting. */
void dn_stdio_free (DnStdio *stdio);

gboolean dn_stdio_has_stdin (const DnStdio *stdio);

/* @sockets: of stdin, stdout, stderr; takes ownership.  Again, for a session that replaces one that
 * was lost. */
void dn_stdio_begin (DnStdio *stdio, const int sockets[3]);

/* The client will write no more: what is in the pipe is passed on, then the end. */
void dn_stdio_close_stdin (DnStdio *stdio);

/* Grows whenever somebody takes output. */
guint64 dn_stdio_progress (const DnStdio *stdio);

/* The process has ended and its session has handed over everything.  @done is called once, later,
 * from the main loop, when the clients have it too. */
void dn_stdio_finish (DnStdio *stdio, void (*done) (gpointer user_data), gpointer user_data);
