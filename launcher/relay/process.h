/* SPDX-License-Identifier: Apache-2.0 */
/* A process in the guest as the relay knows it: streams, log, sessions, end.
 *
 * What the process writes goes to its log (a container's first process has one) and to every
 * session that wants the stream.  Bytes stay in the stream's backlog until all of them have it, and
 * only then is the guest credited: a reader that stops thereby stops its own stream, at most a
 * window later, and nothing else.  Without log and sessions output is discarded and credited.
 *
 * It is drained when it has exited, both its output streams have ended, the log has everything and
 * every session was told the exit and closed, or went away.
 */
#pragma once

#include <stdbool.h>

#include "../base/control.h"
#include "inflow.h"
#include "log.h"

typedef struct DnRouter DnRouter;
typedef struct DnSession DnSession;

#define DN_PROCESS_BUCKETS 256

/* Its output streams, as indices. */
enum
{
  DN_OUTPUT_STDOUT,
  DN_OUTPUT_STDERR,
  DN_OUTPUTS,
};

typedef struct DnProcess
{
  char container[DN_ID_BYTES + 1];
  uint32_t number;
  uint32_t streams;
  uint32_t flags;
  bool has_exited;
  bool is_drained;
  DnMsgExited exited;          /* where has_exited */
  DnLog *log;                  /* owned; NULL for a process added by exec */
  uint64_t log_at[DN_OUTPUTS]; /* up to here the log has the stream */
  DnInflow outputs[DN_OUTPUTS];
  uint32_t stdin_window; /* bytes the guest takes now */
  bool stdin_is_closed;  /* EOF or RESET was sent, or the guest wants no more */
  bool stdin_eof_is_due; /* to be sent as soon as there is a link with room */
  DnSession *sessions;   /* owned */
  struct DnProcess *next;
} DnProcess;

/* PROCESS.  @log_fds: two, or NULL; takes ownership.  One that is known already (danchid tells them
 * all after it was started anew) is kept as it is.  Returns: 0; -EPROTO: the order is malformed */
int dn_process_add (DnRouter *router, const DnMsgProcess *order, const int *log_fds);

DnProcess *dn_process_find (DnRouter *router, const char *container, uint32_t number);
DnProcess *dn_process_find_by_stream (DnRouter *router, uint32_t stream);

/* Calls @visit for each; it may free the one it is given. */
void dn_process_for_each (DnRouter *router, void (*visit) (DnRouter *router, DnProcess *process));

/* Sessions are told that they are lost; what is left of an unfinished line goes to the log. */
void dn_process_free (DnRouter *router, DnProcess *process, const char *reason);

/* EXITED from the guest; again for a process that has exited is fine. */
void dn_process_exit (DnRouter *router, DnProcess *process, const DnMsgExited *exited);

/**
 * dn_process_receive:
 *
 * A frame of group 4 from the guest on one of its streams.
 *
 * Returns: 0; -EPROTO with @ret_why set (static text)
 */
int dn_process_receive (DnRouter *router, DnProcess *process, const DnFrameHeader *header,
                        const uint8_t *payload, const char **ret_why);

/* Some reader of stream @output moved on: frees backlog, owes credit, finishes what is finished.
 * May free sessions, not @process. */
void dn_process_moved (DnRouter *router, DnProcess *process, int output);

/* Tells sessions that have everything of the exit, and danchid of the drain.  May free sessions. */
void dn_process_settle (DnRouter *router, DnProcess *process);

/* Reads on from sessions' standard input where the window and the channel have room. */
void dn_process_resume_stdin (DnRouter *router, DnProcess *process);

/* No more input for it: sends EOF after what was sent. */
void dn_process_close_stdin (DnRouter *router, DnProcess *process);

/* A new link stands. */
void dn_process_relink (DnRouter *router, DnProcess *process);
