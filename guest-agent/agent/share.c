/* SPDX-License-Identifier: Apache-2.0 */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autofd.h"
#include "orphan.h"
#include "share-child.h"
#include "sync.h"

/* Where a child keeps what it was given; everything else of the agent's is closed. */
#define KEPT_FIRST 1000

typedef struct
{
  DnAgent *agent; /* NULL: the slot is free */
  const DnContainer *container;
  DnRequest request;
  DnShareRoot *root; /* of a root's: who asked, in the place of a request */
  DnWatch watch;     /* the child's end */
  DnTimer timer;
  int report_fd;
} Job;

static Job jobs[DN_SHARE_JOBS_MAX];
/* Some child has found its bind: so the share was mounted. */
static bool has_mount;

/* @passed: of a root, or -1; taken over */
static void
finish (Job *job, const DnFault *fault, int passed)
{
  if (job->root == NULL)
    dn_agent_reply_fault (job->agent, &job->request, fault);
  else
    {
      job->root->is_answered = true;
      job->root->fd = dn_fd_steal (&passed);
      job->root->fault = *fault;
    }
  dn_fd_clear (&passed);
  dn_watch_remove (&job->watch);
  if (job->watch.fd >= 0)
    dn_orphan_adopt (&job->agent->loop, job->watch.fd);
  dn_timer_stop (&job->timer);
  dn_fd_clear (&job->report_fd);
  *job = (Job){ 0 };
}

static void
child_ended (DnWatch *watch, uint32_t events)
{
  Job *job = watch->data;
  DnFault fault = { .status = -EIO, .message = "the share: its mount was interrupted" };
  siginfo_t info = { 0 };
  DnSyncReport report;
  int passed = -1;

  (void) events;
  if (waitid (P_PIDFD, (id_t) watch->fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
    return;
  dn_watch_remove (watch);
  dn_fd_clear (&watch->fd);
  if (dn_sync_take_report (job->report_fd, &report, &passed) == 0)
    fault = report.fault;
  else if (job->root == NULL && info.si_code == CLD_EXITED && info.si_status == 0)
    fault = (DnFault){ 0 };
  has_mount = has_mount || fault.status == 0;
  finish (job, &fault, passed);
}

static int
deadline_of (const Job *job)
{
  return job->root != NULL ? DN_SHARE_ROOT_DEADLINE_MS : DN_SHARE_DEADLINE_MS;
}

static void
child_late (DnTimer *timer)
{
  Job *job = timer->data;
  const bool is_root = job->root != NULL;
  DnFault fault;

  (void) dn_fault_set (&fault, -ETIMEDOUT,
                       "%s: %s in the guest did not end within %d s: the "
                       "host's virtiofsd does not answer, or the host is too busy",
                       is_root ? "the container's root" : "the share",
                       has_mount ? "looking it up in the share" : "mounting the share",
                       deadline_of (job) / 1000);
  finish (job, &fault, -1);
}

_Noreturn static void
run_child (DnShareTask task, int report_fd)
{
  DnSyncReport report;
  sigset_t none;
  int root = -1, r;

  memset (&report, 0, sizeof report);
  report.kind = DN_SYNC_FAULT;
  (void) sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);
  (void) prctl (PR_SET_DUMPABLE, 0);
  (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
  report_fd = dup3 (report_fd, KEPT_FIRST, O_CLOEXEC);
  if (task.mount_namespace >= 0)
    task.mount_namespace = dup3 (task.mount_namespace, KEPT_FIRST + 1, O_CLOEXEC);
  (void) close_range (3, KEPT_FIRST - 1, 0);
  (void) close_range (KEPT_FIRST + 2, ~0U, 0);
  r = dn_share_task_run (&task, &root, &report.fault);
  if (r < 0 || root >= 0)
    (void) dn_sync_report (report_fd, &report, root);
  _exit (r < 0 ? 1 : 0);
}

static int
spawn (Job *job, const DnShareTask *task)
{
  int pidfd = -1, report[2];
  struct clone_args args
      = { .flags = CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd, .exit_signal = SIGCHLD };
  long pid;
  int r = dn_sync_make (report);

  if (r < 0)
    return r;
  pid = syscall (SYS_clone3, &args, sizeof args);
  if (pid == 0)
    run_child (*task, report[1]);
  (void) close (report[1]);
  job->report_fd = report[0];
  if (pid < 0)
    return -EAGAIN;
  job->watch.fd = pidfd;
  dn_timer_set (&job->timer, deadline_of (job));
  return dn_watch_set (&job->watch, EPOLLIN);
}

static Job *
find_free_job (void)
{
  for (size_t i = 0; i < DN_SHARE_JOBS_MAX; i++)
    if (jobs[i].agent == NULL)
      return &jobs[i];
  return NULL;
}

/* In the job: who asks, and its watch and timer. */
static int
begin (Job *job, const DnShareTask *task, DnFault *fault)
{
  int r;

  dn_watch_init (&job->watch, &job->agent->loop, -1, child_ended, job);
  dn_timer_init (&job->timer, &job->agent->loop, child_late, job);
  r = spawn (job, task);
  return r < 0 ? dn_fault_set (fault, r, "the share: %s", strerror (-r)) : 0;
}

static void
start (DnAgent *agent, const DnContainer *container, DnRequest request, const DnShareTask *task)
{
  DnFault fault = { .status = -EBUSY, .message = "the share: too much at a time" };
  Job *job = find_free_job ();

  if (job == NULL)
    {
      dn_agent_reply_fault (agent, &request, &fault);
      return;
    }
  *job = (Job){ .agent = agent, .container = container, .request = request, .report_fd = -1 };
  if (begin (job, task, &fault) < 0)
    finish (job, &fault, -1);
}

int
dn_share_take_root (DnContainer *container, DnFault *fault)
{
  DnShareRoot *root = &container->share_root;
  const DnShareTask task = { .kind = DN_SHARE_TASK_ROOT,
                             .run_dir = container->agent->options.run_dir,
                             .test_share = container->agent->options.test_share,
                             .number = container->config.root_share,
                             .mount_namespace = -1 };
  Job *job = root->is_asked ? NULL : find_free_job ();

  if (job != NULL)
    {
      root->is_asked = true;
      *job = (Job){
        .agent = container->agent, .container = container, .root = root, .report_fd = -1
      };
      if (begin (job, &task, fault) < 0)
        finish (job, fault, -1);
    }
  /* Those that are under way end by their timers, and leave a place. */
  if (!root->is_answered)
    return -EAGAIN;
  if (root->fd >= 0)
    return 0;
  *fault = root->fault;
  /* These are for what may still come. */
  if (fault->status == -ENOENT || fault->status == -EAGAIN || fault->status == 0)
    fault->status = -EIO;
  return fault->status;
}

#define NOT_WAITING "the container does not wait for binds"

/* Whether the container was created and waits for them. */
static bool
is_waiting (const DnContainer *container)
{
  return !container->is_deleting && container->mount_namespace >= 0
         && container->processes->stage == DN_PROCESS_STAGE_BINDS;
}

void
dn_share_tell_user (DnContainer *container, DnRequest request)
{
  DnMsgShareUserEntry entry = { .request = request.number };

  if (!is_waiting (container))
    {
      dn_agent_reply (container->agent, &request, -EBUSY, NOT_WAITING);
      return;
    }
  entry.uid = container->processes->ids.uid;
  entry.gid = container->processes->ids.gid;
  if (dn_request_is_current (container->agent, &request))
    DN_AGENT_SEND (container->agent, SHARE_USER_ENTRY, share_user_entry, &entry);
  dn_agent_reply (container->agent, &request, 0, "");
}

void
dn_share_mount (DnContainer *container, DnRequest request, const DnMsgShareMount *message)
{
  const DnShareTask task = { .kind = DN_SHARE_TASK_BIND,
                             .run_dir = container->agent->options.run_dir,
                             .test_share = container->agent->options.test_share,
                             .config = &container->config,
                             .target = message->target,
                             .number = message->number,
                             .mount_namespace = container->mount_namespace };

  if (is_waiting (container))
    start (container->agent, container, request, &task);
  else
    dn_agent_reply (container->agent, &request, -EBUSY, NOT_WAITING);
}

void
dn_share_end_mounts (DnContainer *container, DnRequest request)
{
  if (!is_waiting (container))
    dn_agent_reply (container->agent, &request, -EBUSY, NOT_WAITING);
  else if (dn_process_go_on (container->processes, request) < 0)
    dn_agent_reply (container->agent, &request, -EIO, "the process died while it was set up");
}

void
dn_share_lose (DnAgent *agent, DnRequest request)
{
  const DnShareTask task
      = { .kind = DN_SHARE_TASK_END, .run_dir = agent->options.run_dir, .mount_namespace = -1 };

  start (agent, NULL, request, &task);
}

void
dn_share_forget_container (const DnContainer *container)
{
  const DnFault fault = { .status = -ECANCELED, .message = "the container was deleted" };

  for (size_t i = 0; i < DN_SHARE_JOBS_MAX; i++)
    if (jobs[i].agent != NULL && jobs[i].container == container)
      finish (&jobs[i], &fault, -1);
}
