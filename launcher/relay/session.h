/* SPDX-License-Identifier: Apache-2.0 */
/* A client's session on a process (launcher/base/session.h), the relay's end.
 *
 * Standard input is read only as far as the guest's window goes.  End of file is passed on when the
 * client shut down its end and is still there.  A client that went away (its control socket closed)
 * is detached: a container's process keeps its standard input open for the next one; for a process
 * added by exec there is no next one, so its input ends.  A client that closed its stdin socket
 * altogether may be about to do either: %DN_SESSION_LINGER_NS tell.
 *
 * An output socket that the client closed counts no longer; nor does anything of a client that is
 * gone.
 */
#pragma once

#include <stdbool.h>

#include "../base/control.h"
#include "../base/session.h"
#include "../confined/loop.h"
#include "process.h"

#define DN_SESSION_LINGER_NS (50 * 1000000ull)
#define DN_SESSION_READ_BYTES (32 * 1024) /* of standard input, in one turn */
#define DN_SESSION_INBOX_BYTES (DN_FRAME_HEADER_BYTES + 4)

enum
{
  DN_SESSION_FD_CONTROL,
  DN_SESSION_FD_STDIN,
  DN_SESSION_FD_STDOUT,
  DN_SESSION_FD_STDERR,
  DN_SESSION_FDS,
};

typedef struct
{
  DnSource source; /* fd -1: not wanted, ended, or closed by the client */
  uint64_t at;     /* up to here the client has the stream */
} DnSessionOutput;

struct DnSession
{
  DnRouter *router;
  DnProcess *process;
  DnSource control;
  DnSource input; /* fd -1: not wanted or ended */
  DnSessionOutput outputs[DN_OUTPUTS];
  DnTimer linger_timer;
  uint8_t inbox[DN_SESSION_INBOX_BYTES];
  size_t inbox_bytes;
  DnSession *next;
};

/* SESSION.  @fds: %DN_SESSION_FDS; takes ownership.  Where it cannot be, the client is told. */
void dn_session_add (DnRouter *router, const DnMsgSession *order, const int *fds);

/* Sends what the client takes of stream @output out of @bytes, of which the first is at position
 * @start and the last before @end. */
void dn_session_offer (DnSession *session, int output, const uint8_t *bytes, uint64_t start,
                       uint64_t end);

/* The stream has ended: closes the client's socket once it has everything. */
void dn_session_end_output (DnSession *session, int output);

/* Whether every stream it wanted was delivered to the end. */
bool dn_session_is_delivered (const DnSession *session);

/* Reads on, where window and channel have room. */
void dn_session_resume (DnSession *session);

/* Standard input is wanted no more. */
void dn_session_close_stdin (DnSession *session);

/* The last message, then closes and frees. */
void dn_session_finish (DnSession *session, const DnMsgExited *exited);
void dn_session_lose (DnSession *session, const char *reason);
