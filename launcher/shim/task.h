/* SPDX-License-Identifier: Apache-2.0 */
/* A process as containerd knows it: a container's first one, or one of Exec.
 *
 *     created ── start ──▶ running ◀── pause, resume ──▶ paused
 *        └────── ends ──────▶ stopped ◀────── ends ────────┘
 *
 * It is running from danchid's answer on and stopped once its end is known *and* its clients have
 * its output (stdio.h): only then are Waits answered and is the end published.  Where the end is
 * known by another way than its session (danchid's word, a guest that is gone), the session has
 * until nothing more comes of it for %DN_TASK_PATIENCE_S to hand over what it has.
 *
 * Counted references: an answer of danchid's may come after containerd has forgotten the process.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "call.h"
#include "session-link.h"
#include "shim/task.pb-c.h"
#include "stdio.h"

#define DN_TASK_PATIENCE_S 10
#define DN_TASK_KILLED 137 /* 128 + SIGKILL */
#define DN_TASK_UNKNOWN 255

typedef enum
{
  DN_TASK_CREATED,
  DN_TASK_RUNNING,
  DN_TASK_PAUSED,
  DN_TASK_STOPPED,
} DnTaskState;

typedef struct DnContainer DnContainer;
typedef struct DnTask DnTask;

struct DnTask
{
  DnContainer *container; /* which outlives it */
  char *exec_id;          /* owned; "": the container's first process */
  char *in, *out, *err;   /* owned: as the client named them */
  gboolean has_terminal;
  DnTaskState state;
  gboolean is_starting; /* danchid is asked */
  guint32 kill_signal;  /* asked for while it is starting; 0: none */
  gboolean is_ending;   /* its end is known, its output is still being read */
  guint32 exit_status;  /* once it is ending */
  gint64 exited_us;
  guint16 rows, columns; /* asked for before it was started; 0: not */
  JsonObject *process;   /* owned; of Exec, until it is started */
  DnStdio *stdio;        /* owned; NULL: a sandbox, or stopped */
  DnSessionLink *link;   /* owned; NULL: no session */
  GPtrArray *waits;      /* DnCall, to be answered */
  GPtrArray *kills;      /* DnCall, of Kill: answered before its end is told, at the latest */
  gboolean is_expected;  /* it must end: expected_status */
  guint32 expected_status;
  guint64 oom_kills;
  guint watchdog;    /* source */
  guint64 seen;      /* progress at its last look */
  guint stillness_s; /* since that changed */
};

/* (transfer full) */
DnTask *dn_task_new (DnContainer *container, const char *exec_id);
DnTask *dn_task_ref (DnTask *task);
void dn_task_unref (DnTask *task);

gboolean dn_task_is_alive (const DnTask *task);

/* Its session: sockets control, stdin, stdout, stderr; takes ownership. */
void dn_task_begin (DnTask *task, const int sockets[4]);

/* It will end with @status, or has: its session tells, or is waited for only so long. */
void dn_task_expect_end (DnTask *task, guint32 status);

/* It has ended, and no more than what is on the way already comes of it. */
void dn_task_end (DnTask *task, guint32 status);

/* At once: of one that has no output.  Answers Waits, publishes, tells the container. */
void dn_task_stop (DnTask *task, guint32 status);

/* Takes @call over. */
void dn_task_wait (DnTask *task, DnCall *call);

/* Keeps a call of Kill.  dn_task_take_kill() says whether it is still to be answered. */
void dn_task_add_kill (DnTask *task, DnCall *call);
gboolean dn_task_take_kill (DnTask *task, DnCall *call);

/* Answers all Waits with @status, of one that never ran. */
void dn_task_answer_waits (DnTask *task, guint32 status);

/* As State has it; ProcessInfo and all else have the guest's pid. */
Pb__TaskStatus dn_task_status (const DnTask *task);
