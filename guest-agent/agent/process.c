/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "autofd.h"
#include "container.h"
#include "orphan.h"
#include "process-setup.h"

static void pid_ready (DnWatch *watch, uint32_t events);

/* One of the output streams has been sent to its end. */
static void
output_drained (DnStream *stream, void *data)
{
  DnProcess *process = data;

  /* With a terminal standard error has no data, but its end is the terminal's. */
  if (stream == &process->streams[DN_STREAM_STDOUT] && (process->flags & DN_PROCESS_TERMINAL) != 0)
    dn_stream_end_soon (&process->streams[DN_STREAM_STDERR]);
}

static int
open_streams (DnProcess *process, DnFault *fault)
{
  DnStreams *streams = &process->container->agent->streams;
  bool is_terminal = (process->flags & DN_PROCESS_TERMINAL) != 0;
  uint32_t base = process->stream_base;
  int r = 0;

  if (base == 0 || base % DN_STREAMS_PER_PROCESS != 0)
    return dn_fault_set (fault, -EINVAL, "streams: %u is no first stream number", base);
  if ((process->flags & DN_PROCESS_STDIN) != 0)
    r = dn_stream_open (&process->streams[DN_STREAM_STDIN], streams, DN_STREAM_IN,
                        base + DN_STREAM_STDIN, is_terminal);
  for (uint32_t i = DN_STREAM_STDOUT; i <= DN_STREAM_STDERR && r == 0; i++)
    {
      r = dn_stream_open (&process->streams[i], streams, DN_STREAM_OUT, base + i, is_terminal);
      process->streams[i].drained = output_drained;
      process->streams[i].data = process;
    }
  if (r < 0)
    return dn_fault_set (fault, r, "streams: %u is in use", base);
  return 0;
}

/* NULL with @fault; @config stays the caller's then. */
static DnProcess *
new_process (DnContainer *container, uint32_t number, uint32_t flags, DnConfig *config,
             DnFault *fault)
{
  DnAgent *agent = container->agent;
  DnProcess *process = NULL;
  DnProcess **end = &container->processes;

  if (agent->process_count >= DN_PROCESSES_MAX)
    (void) dn_fault_set (fault, -ENOSPC, "more than %d processes", DN_PROCESSES_MAX);
  else if ((process = calloc (1, sizeof *process)) == NULL)
    (void) dn_fault_set (fault, -ENOMEM, "no memory");
  if (process == NULL)
    return NULL;
  process->container = container;
  process->number = number;
  process->flags = flags;
  process->config = config;
  dn_watch_init (&process->pid_watch, &agent->loop, -1, pid_ready, process);
  dn_process_setup_init (process);
  while (*end != NULL)
    end = &(*end)->next;
  *end = process;
  agent->process_count++;
  return process;
}

DnProcess *
dn_process_new (DnContainer *container, uint32_t number, uint32_t stream_base, uint32_t flags,
                DnConfig *config, DnFault *fault)
{
  DnProcess *process = new_process (container, number, flags, config, fault);

  if (process == NULL)
    {
      if (config != NULL)
        dn_config_clear (config);
      free (config);
      return NULL;
    }
  process->stream_base = stream_base;
  if (open_streams (process, fault) < 0)
    {
      dn_process_free (process);
      return NULL;
    }
  return process;
}

DnProcess *
dn_process_new_check (DnContainer *container, DnFault *fault)
{
  return new_process (container, DN_HEALTH_PROCESS, 0, &container->health.config, fault);
}

bool
dn_process_is_check (const DnProcess *process)
{
  return process->number == DN_HEALTH_PROCESS;
}

void
dn_process_free (DnProcess *process)
{
  DnContainer *container = process->container;

  for (DnProcess **at = &container->processes; *at != NULL; at = &(*at)->next)
    if (*at == process)
      {
        *at = process->next;
        break;
      }
  for (int i = 0; i < 3; i++)
    dn_stream_close (&process->streams[i]);
  dn_process_setup_clear (process);
  dn_watch_remove (&process->pid_watch);
  if (process->pid_watch.fd >= 0 && process->stage != DN_PROCESS_STAGE_ENDED)
    dn_orphan_adopt (&container->agent->loop, process->pid_watch.fd);
  else
    dn_fd_clear (&process->pid_watch.fd);
  /* A check's is the container's, for the next one. */
  if (process->config != NULL && !dn_process_is_check (process))
    {
      dn_config_clear (process->config);
      free (process->config);
    }
  container->agent->process_count--;
  free (process);
}

static void
finish_streams (DnProcess *process)
{
  /* Input that nobody takes any more; the stream stays known, so that what comes is ignored. */
  dn_stream_close (&process->streams[DN_STREAM_STDIN]);
  for (int i = DN_STREAM_STDOUT; i <= DN_STREAM_STDERR; i++)
    if (process->number != 0 || process->streams[i].watch.fd < 0)
      if (i == DN_STREAM_STDOUT || (process->flags & DN_PROCESS_TERMINAL) == 0
          || process->streams[DN_STREAM_STDOUT].has_ended)
        dn_stream_end_soon (&process->streams[i]);
}

static void
pid_ready (DnWatch *watch, uint32_t events)
{
  DnProcess *process = watch->data;
  siginfo_t info = { 0 };

  (void) events;
  /* What the child had to say before it ended comes first: it may be why.  That may end in the
   * process being forgotten; then the watch is gone and is not looked at again. */
  if (process->sync_watch.fd >= 0)
    {
      dn_process_setup_hear (process);
      return;
    }
  if (waitid (P_PIDFD, (id_t) watch->fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
    return;
  dn_watch_remove (watch);
  process->stage = DN_PROCESS_STAGE_ENDED;
  process->code = info.si_code == CLD_EXITED ? (uint32_t) info.si_status : 0;
  process->signal = info.si_code == CLD_EXITED ? 0 : (uint32_t) info.si_status;
  dn_container_process_ended (process);
  if (dn_process_is_check (process))
    {
      dn_health_ended (&process->container->health);
      return;
    }
  finish_streams (process);
  if (!process->never_ran)
    dn_process_send_exited (process);
}

void
dn_process_send_exited (const DnProcess *process)
{
  DnMsgExited exited = { .process = process->number,
                         .code = process->code,
                         .signal = process->signal,
                         .oom_kills = process->oom_kills };

  strcpy (exited.container, process->container->id);
  /* 128 + n as shells have it, so that code alone says enough. */
  if (exited.signal != 0)
    exited.code = 128 + exited.signal;
  DN_AGENT_SEND (process->container->agent, EXITED, exited, &exited);
}

int
dn_process_signal (const DnProcess *process, int signal)
{
  if (process->pid_watch.fd < 0 || process->stage == DN_PROCESS_STAGE_ENDED)
    return -ESRCH;
  return syscall (SYS_pidfd_send_signal, process->pid_watch.fd, signal, NULL, 0) < 0 ? -errno : 0;
}

bool
dn_process_is_done (const DnProcess *process)
{
  /* A check's end is health.c's to take. */
  return process->stage == DN_PROCESS_STAGE_ENDED && !dn_process_is_check (process)
         && dn_stream_is_done (&process->streams[DN_STREAM_STDOUT])
         && dn_stream_is_done (&process->streams[DN_STREAM_STDERR]);
}

DnProcessState
dn_process_state (const DnProcess *process)
{
  switch (process->stage)
    {
    case DN_PROCESS_STAGE_ENDED:
      return DN_PROCESS_EXITED;
    case DN_PROCESS_STAGE_RUNNING:
    case DN_PROCESS_STAGE_STARTING:
      return process->container->is_paused ? DN_PROCESS_PAUSED : DN_PROCESS_RUNNING;
    case DN_PROCESS_STAGE_NEW:
    case DN_PROCESS_STAGE_SETTING_UP:
    case DN_PROCESS_STAGE_BINDS:
    case DN_PROCESS_STAGE_READY:
      break;
    }
  return DN_PROCESS_CREATED;
}

void
dn_process_resize (DnProcess *process, uint16_t rows, uint16_t columns)
{
  struct winsize size = { .ws_row = rows, .ws_col = columns };

  process->rows = rows;
  process->columns = columns;
  if ((process->flags & DN_PROCESS_TERMINAL) != 0
      && process->streams[DN_STREAM_STDOUT].watch.fd >= 0)
    (void) ioctl (process->streams[DN_STREAM_STDOUT].watch.fd, TIOCSWINSZ, &size);
}
