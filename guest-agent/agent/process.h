/* SPDX-License-Identifier: Apache-2.0 */
/* A container's process, as the agent sees it: its first one (number 0) or one added by exec.
 *
 *     NEW ── spawn ──▶ SETTING_UP ── READY ──▶ CREATED ── run ──▶ STARTING ── exec ──▶ RUNNING
 *                          └───────────────────────┴──────────────────┴───── dies ──────┴─▶ ENDED
 *
 * The child reports over a sync socket (sync.h); its closing by execve(2) is the success.  A child
 * that does not get to CREATED within DN_SETUP_DEADLINE_MS is killed.  EXITED is sent as soon as
 * the process is reaped; its output streams end on their own:
 *   - with a container's first process all others end, by its pid namespace or by the cgroup, so
 *     they are read to EOF;
 *   - after a process of exec, what is in the pipes at that moment is read and then EOF is sent,
 *     even if a grandchild still holds the other end.
 * No EXITED is sent for a process whose program never ran: the REPLY to START or EXEC said so.
 */
#pragma once

#include <sys/types.h>

#include "agent.h"
#include "config.h"
#include "sync.h"

typedef enum
{
  DN_PROCESS_STAGE_NEW,
  DN_PROCESS_STAGE_SETTING_UP,
  DN_PROCESS_STAGE_BINDS, /* created but for what comes from the host: share.h */
  DN_PROCESS_STAGE_READY, /* created: waits for the order to run */
  DN_PROCESS_STAGE_STARTING,
  DN_PROCESS_STAGE_RUNNING,
  DN_PROCESS_STAGE_ENDED,
} DnProcessStage;

typedef struct DnProcess
{
  struct DnProcess *next; /* in the container's list, the first process first */
  DnContainer *container;
  uint32_t number;
  uint32_t flags;
  uint32_t stream_base;
  uint16_t rows;
  uint16_t columns;
  DnConfig *config; /* owned for exec; the first process uses its container's */
  DnProcessStage stage;
  pid_t pid;
  DnWatch pid_watch; /* a pidfd */
  DnWatch sync_watch;
  DnTimer setup_timer;
  int setup_limit_ms;
  DnStream streams[3];
  DnRequest request; /* CREATE, START or EXEC that is under way */
  DnSyncIds ids;     /* who the child is to become: what it said last */
  DnMsgStarted started;
  bool never_ran;
  uint32_t code;
  uint32_t signal;
  uint32_t oom_kills;
} DnProcess;

/* Opens the streams; -EEXIST or -EINVAL for stream numbers that will not do.  @config: takes
 * ownership for number > 0.  Returns NULL with @fault. */
DnProcess *dn_process_new (DnContainer *container, uint32_t number, uint32_t stream_base,
                           uint32_t flags, DnConfig *config, DnFault *fault);

/* The container's health check, as a process without streams: health.h. */
DnProcess *dn_process_new_check (DnContainer *container, DnFault *fault);
bool dn_process_is_check (const DnProcess *process);

/* Kills it if it still runs (without waiting) and forgets it. */
void dn_process_free (DnProcess *process);

/* Clones the child.  For a container's first process @ret_pidfd is its pidfd, borrowed. */
int dn_process_spawn (DnProcess *process, DnFault *fault);

/* READY: reads the confinement back, and lets the program run if it is as asked. */
int dn_process_run (DnProcess *process, DnFault *fault);

/* BINDS: all that it waited for is mounted; @request is ended when it is READY, or fails to be. */
int dn_process_go_on (DnProcess *process, DnRequest request);

int dn_process_signal (const DnProcess *process, int signal); /* 0 or -errno */

/* Whether it has ended and the host has all of its output. */
bool dn_process_is_done (const DnProcess *process);

DnProcessState dn_process_state (const DnProcess *process);

void dn_process_send_exited (const DnProcess *process);

/* RESIZE.  Nothing without a terminal. */
void dn_process_resize (DnProcess *process, uint16_t rows, uint16_t columns);
