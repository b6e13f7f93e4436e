/* SPDX-License-Identifier: Apache-2.0 */
#include "process-setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "autofd.h"
#include "child.h"
#include "container-processes.h"
#include "container.h"
#include "readback.h"

static bool
is_first (const DnProcess *process)
{
  return process->number == 0;
}

static const DnProcessConfig *
process_config (const DnProcess *process)
{
  return is_first (process) ? &process->container->config.process : &process->config->process;
}

static void
close_watch (DnWatch *watch)
{
  dn_watch_remove (watch);
  dn_fd_clear (&watch->fd);
}

/* A check's output and errors are one pipe, which the agent reads by itself. */
static int
make_check_stdio (int first_uid, int first_gid, int child[3], int *ret_agent)
{
  int ends[2];

  child[0] = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  if (child[0] < 0 || pipe2 (ends, O_CLOEXEC) < 0)
    return -1;
  child[1] = ends[1];
  *ret_agent = ends[0];
  child[2] = fcntl (ends[1], F_DUPFD_CLOEXEC, 3);
  return child[2] < 0 ? -1 : fchown (ends[0], (uid_t) first_uid, (gid_t) first_gid);
}

/* The two ends of what will be the child's 0 to 2. */
typedef struct
{
  int child[3];
  int agent[3];
} Stdio;

static void
close_stdio (Stdio *stdio)
{
  for (int i = 0; i < 3; i++)
    {
      dn_fd_clear (&stdio->child[i]);
      dn_fd_clear (&stdio->agent[i]);
    }
}

static int
make_stdio (const DnProcess *process, Stdio *ret_stdio)
{
  const DnConfig *config = &process->container->config;

  *ret_stdio = (Stdio){ { -1, -1, -1 }, { -1, -1, -1 } };
  if ((process->flags & DN_PROCESS_TERMINAL) != 0)
    return 0;
  if (dn_process_is_check (process))
    return make_check_stdio ((int) config->first_uid, (int) config->first_gid, ret_stdio->child,
                             &ret_stdio->agent[DN_STREAM_STDOUT]);
  for (int i = 0; i < 3; i++)
    {
      int ends[2];

      if (i == DN_STREAM_STDIN && (process->flags & DN_PROCESS_STDIN) == 0)
        {
          ret_stdio->child[i] = open ("/dev/null", O_RDONLY | O_CLOEXEC);
          if (ret_stdio->child[i] < 0)
            return -1;
          continue;
        }
      if (pipe2 (ends, O_CLOEXEC) < 0)
        return -1;
      ret_stdio->child[i] = ends[i == DN_STREAM_STDIN ? 0 : 1];
      ret_stdio->agent[i] = ends[i == DN_STREAM_STDIN ? 1 : 0];
      /* To the container's root, which can hand it on to the user: see dn_child_take_stdio(). */
      if (fchown (ends[0], config->first_uid, config->first_gid) < 0)
        return -1;
    }
  return 0;
}

static int
attach_stdio (DnProcess *process, Stdio *stdio)
{
  int r = 0;

  if (dn_process_is_check (process))
    return dn_health_take_output (&process->container->health,
                                  dn_fd_steal (&stdio->agent[DN_STREAM_STDOUT]));
  for (int i = 0; i < 3 && r == 0; i++)
    if (stdio->agent[i] >= 0)
      r = dn_stream_attach (&process->streams[i], dn_fd_steal (&stdio->agent[i]));
  return r;
}

static pid_t
clone_child (const DnProcess *process, int container_fd, int *ret_pidfd)
{
  const DnContainer *container = process->container;
  struct clone_args args = { .flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
                             .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
                             .exit_signal = SIGCHLD,
                             .cgroup = (uint64_t) container->cgroup.fd };
  pid_t pid;
  int saved_errno;

  if (container_fd < 0 && container->config.is_of_pod && container->agent->pod.is_made)
    return dn_pod_clone (&container->agent->pod, container->cgroup.fd,
                         dn_container_processes_of (container, &pid), ret_pidfd);
  if (container_fd < 0)
    {
      /* All of them, whatever the config lists; the cgroup namespace follows in the child. */
      args.flags |= CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS
                    | CLONE_NEWNET;
      return (pid_t) syscall (SYS_clone3, &args, sizeof args);
    }
  /* Joining a pid namespace takes effect for children only: so the agent does it around the clone
   * and needs no second child in between. */
  if (setns (container_fd, CLONE_NEWPID) < 0)
    return -1;
  pid = (pid_t) syscall (SYS_clone3, &args, sizeof args);
  if (pid == 0)
    return 0;
  saved_errno = errno;
  /* Cannot fail: it is the agent's own.  If it did, later containers would be built inside this
   * one, so the agent would rather end. */
  if (setns (container->agent->own_pid_namespace, CLONE_NEWPID) < 0)
    abort ();
  errno = saved_errno;
  return pid;
}

static int
clone_and_prepare (DnProcess *process, int sync[2], const Stdio *stdio, DnFault *fault)
{
  DnContainer *container = process->container;
  const DnProcess *first = container->processes;
  DnChildPlan plan
      = { .config = is_first (process) ? &container->config : NULL,
          .process = process_config (process),
          .filter = container->filter,
          .filter_count = container->filter_count,
          .sync_fd = sync[1],
          .stdio = { stdio->child[0], stdio->child[1], stdio->child[2] },
          .has_terminal = (process->flags & DN_PROCESS_TERMINAL) != 0,
          .rows = process->rows,
          .columns = process->columns,
          .container_fd = is_first (process) ? -1 : first->pid_watch.fd,
          .run_dir = container->agent->options.run_dir,
          .container = container->id,
          .card = container->card,
          .reaper
          = (process->flags & DN_PROCESS_REAPER) != 0 ? container->agent->options.reaper : NULL };
  int pidfd = -1;

  process->pid = clone_child (process, plan.container_fd, &pidfd);
  if (process->pid == 0)
    dn_child_run (&plan);
  if (process->pid < 0)
    return dn_fault_set_errno (fault, "make the process");
  process->pid_watch.fd = pidfd;
  process->stage = DN_PROCESS_STAGE_SETTING_UP;
  if (dn_watch_set (&process->pid_watch, EPOLLIN) < 0)
    return dn_fault_set (fault, -EIO, "watch the process");
  if (dn_container_limit_child (process, fault) < 0)
    return fault->status;
  return is_first (process) ? dn_container_prepare_first (process, sync[0], fault) : 0;
}

/* Of a container's first process, what is left of CREATE's. */
static void
limit_setup (DnProcess *process)
{
  const int64_t left_ms = process->container->create_deadline_ms - dn_loop_now_ms ();

  process->setup_limit_ms = DN_SETUP_DEADLINE_MS;
  if (is_first (process) && left_ms < process->setup_limit_ms)
    process->setup_limit_ms = left_ms > 1000 ? (int) left_ms : 1000;
  dn_timer_set (&process->setup_timer, process->setup_limit_ms);
}

int
dn_process_spawn (DnProcess *process, DnFault *fault)
{
  int sync[2] = { -1, -1 };
  Stdio stdio;
  int r;

  if (make_stdio (process, &stdio) < 0 || dn_sync_make (sync) < 0)
    {
      (void) dn_fault_set_errno (fault, "make pipes");
      close_stdio (&stdio);
      return fault->status;
    }
  r = clone_and_prepare (process, sync, &stdio, fault);
  dn_fd_clear (&sync[1]);
  process->sync_watch.fd = sync[0];
  if (r == 0 && (r = attach_stdio (process, &stdio)) < 0)
    (void) dn_fault_set (fault, r, "watch the process's pipes");
  close_stdio (&stdio);
  if (r < 0)
    return r;
  limit_setup (process);
  return dn_watch_set (&process->sync_watch, EPOLLIN);
}

/* Ends the request under way with @fault; the process is gone or on its way. */
static void
setup_failed (DnProcess *process, const DnFault *fault)
{
  DnAgent *agent = process->container->agent;

  process->never_ran = true;
  dn_timer_stop (&process->setup_timer);
  close_watch (&process->sync_watch);
  if (is_first (process) && process->stage < DN_PROCESS_STAGE_STARTING)
    {
      dn_container_setup_failed (process, fault);
      return;
    }
  dn_agent_reply_fault (agent, &process->request, fault);
  (void) dn_process_signal (process, SIGKILL);
  if (dn_process_is_check (process))
    dn_health_not_run (&process->container->health, fault);
  if (!is_first (process))
    dn_process_free (process);
}

static void
setup_late (DnTimer *timer)
{
  DnProcess *process = timer->data;
  DnFault fault;

  (void) dn_fault_set (&fault, -ETIMEDOUT, "the process was not set up within %d s: %s",
                       process->setup_limit_ms / 1000,
                       process->stage == DN_PROCESS_STAGE_STARTING
                           ? "its program has not begun"
                           : "its namespaces, mounts and rights are not made");
  setup_failed (process, &fault);
}

/* The terminal's two directions are watched apart, so each has a descriptor of its own. */
static void
take_terminal (DnProcess *process, int master)
{
  if (process->streams[DN_STREAM_STDIN].streams != NULL)
    {
      int input = fcntl (master, F_DUPFD_CLOEXEC, 3);

      if (input >= 0)
        (void) dn_stream_attach (&process->streams[DN_STREAM_STDIN], input);
    }
  (void) dn_stream_attach (&process->streams[DN_STREAM_STDOUT], master);
}

/* Returns whether @fd was taken. */
static bool
take_file (DnProcess *process, uint8_t kind, int fd)
{
  DnCard *card = process->container->card;

  if (fd < 0 || card == NULL || kind < 1 || kind > DN_CARD_FILES || card->files[kind - 1].fd >= 0
      || process->stage != DN_PROCESS_STAGE_SETTING_UP)
    return false;
  card->files[kind - 1].fd = fd;
  return true;
}

static void
child_is_ready (DnProcess *process, const DnSyncIds *ids)
{
  DnFault fault;

  if (is_first (process) && dn_container_settle (process->container, &fault) < 0)
    {
      setup_failed (process, &fault);
      return;
    }
  dn_timer_stop (&process->setup_timer);
  process->stage = DN_PROCESS_STAGE_READY;
  process->ids = *ids;
  if (is_first (process))
    dn_agent_reply (process->container->agent, &process->request, 0, "");
  else if (dn_process_run (process, &fault) < 0)
    setup_failed (process, &fault);
}

/* CREATE is answered here: what is still to come are requests of their own. */
static void
child_waits_for_binds (DnProcess *process, const DnSyncIds *ids)
{
  dn_timer_stop (&process->setup_timer);
  process->stage = DN_PROCESS_STAGE_BINDS;
  process->ids = *ids;
  dn_agent_reply (process->container->agent, &process->request, 0, "");
}

int
dn_process_go_on (DnProcess *process, DnRequest request)
{
  if (dn_sync_order (process->sync_watch.fd, DN_SYNC_BOUND, -1) < 0)
    return -EIO;
  process->request = request;
  process->stage = DN_PROCESS_STAGE_SETTING_UP;
  process->setup_limit_ms = DN_SETUP_DEADLINE_MS;
  dn_timer_set (&process->setup_timer, process->setup_limit_ms);
  return 0;
}

/* 0: a new one. */
static int
find_pid_namespace (const DnProcess *process, uint64_t *ret_namespace, DnFault *fault)
{
  const DnContainer *container = process->container;
  pid_t pid = container->processes->pid;

  *ret_namespace = 0;
  if (is_first (process) && container->config.processes == NULL)
    return 0;
  if (is_first (process))
    (void) dn_container_processes_of (container, &pid);
  *ret_namespace = dn_readback_pid_namespace (pid);
  return *ret_namespace != 0
             ? 0
             : dn_fault_set (fault, -EIO, "those whose processes it shares have ended");
}

int
dn_process_run (DnProcess *process, DnFault *fault)
{
  const DnConfig *config = &process->container->config;
  DnReadbackWanted wanted
      = { .config = config, .process = process_config (process), .ids = &process->ids };
  DnReadback readback;

  if (find_pid_namespace (process, &wanted.pid_namespace, fault) < 0
      || dn_readback_read (process->pid, config, &readback, fault) < 0
      || dn_readback_check (&readback, &wanted, fault) < 0
      /* Those of exec share the first one's, which may be changed by whoever has CAP_NET_ADMIN; so
       * do the containers of a pod with a card. */
      || (is_first (process)
          && !(config->is_of_pod && process->container->agent->pod_card.is_entered)
          && dn_card_check (process->container->card, process->pid_watch.fd, fault) < 0))
    return fault->status;
  process->started = readback.started;
  process->stage = DN_PROCESS_STAGE_STARTING;
  if (dn_sync_order (process->sync_watch.fd, DN_SYNC_RUN, -1) < 0)
    return dn_fault_set (fault, -EIO, "the process died before its program ran");
  process->setup_limit_ms = DN_SETUP_DEADLINE_MS;
  dn_timer_set (&process->setup_timer, process->setup_limit_ms);
  return 0;
}

/* The sync socket was closed: by execve(2), or by the child's death. */
static void
sync_closed (DnProcess *process)
{
  DnFault fault;

  if (process->stage == DN_PROCESS_STAGE_READY || process->stage == DN_PROCESS_STAGE_BINDS)
    {
      /* Killed before it was started: an end like any other. */
      close_watch (&process->sync_watch);
      return;
    }
  if (process->stage != DN_PROCESS_STAGE_STARTING)
    {
      (void) dn_fault_set (&fault, -EIO, "the process died while it was set up");
      setup_failed (process, &fault);
      return;
    }
  dn_timer_stop (&process->setup_timer);
  close_watch (&process->sync_watch);
  process->stage = DN_PROCESS_STAGE_RUNNING;
  if (is_first (process) && dn_request_is_current (process->container->agent, &process->request))
    {
      process->started.request = process->request.number;
      strcpy (process->started.container, process->container->id);
      DN_AGENT_SEND (process->container->agent, STARTED, started, &process->started);
    }
  if (is_first (process))
    dn_health_begin (&process->container->health);
  dn_agent_reply (process->container->agent, &process->request, 0, "");
}

static void
sync_ready (DnWatch *watch, uint32_t events)
{
  DnProcess *process = watch->data;
  DnSyncReport report;
  int passed = -1;
  int r = dn_sync_take_report (watch->fd, &report, &passed);

  (void) events;
  if (r == -EAGAIN)
    return;
  if (r == 0 && report.kind == DN_SYNC_TERMINAL && passed >= 0
      && process->stage == DN_PROCESS_STAGE_SETTING_UP)
    {
      take_terminal (process, passed);
      return;
    }
  if (r == 0 && report.kind == DN_SYNC_FILE && take_file (process, report.file, passed))
    return;
  dn_fd_clear (&passed);
  if (r == 0 && report.kind == DN_SYNC_READY && process->stage == DN_PROCESS_STAGE_SETTING_UP)
    child_is_ready (process, &report.ids);
  else if (r == 0 && report.kind == DN_SYNC_USER && process->stage == DN_PROCESS_STAGE_SETTING_UP
           && is_first (process))
    child_waits_for_binds (process, &report.ids);
  else if (r == 0 && report.kind == DN_SYNC_FAULT)
    setup_failed (process, &report.fault);
  else
    sync_closed (process);
}

void
dn_process_setup_init (DnProcess *process)
{
  DnLoop *loop = &process->container->agent->loop;

  dn_watch_init (&process->sync_watch, loop, -1, sync_ready, process);
  dn_timer_init (&process->setup_timer, loop, setup_late, process);
}

void
dn_process_setup_clear (DnProcess *process)
{
  dn_timer_stop (&process->setup_timer);
  close_watch (&process->sync_watch);
}

void
dn_process_setup_hear (DnProcess *process)
{
  (void) dn_watch_set (&process->sync_watch, EPOLLIN);
  sync_ready (&process->sync_watch, EPOLLIN);
}
