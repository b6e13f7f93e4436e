/* SPDX-License-Identifier: Apache-2.0 */
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "autofd.h"
#include "container.h"
#include "orphan.h"
#include "sync.h"

typedef struct
{
  int user_namespace;
  int mount_namespace;
  int pipe;
  int report;
  const char *path;
  bool is_out;
} Helper;

/* Keeps what reading and writing any user's files takes, in the container's user namespace only. */
static int
limit_capabilities (void)
{
  const uint32_t kept = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER;
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[2] = { { kept, kept, 0 }, { 0, 0, 0 } };

  return (int) syscall (SYS_capset, &header, data);
}

/* From the guest's root to the container's: user namespace first, which gives the right to enter
 * the mount namespace; then its root id; then fewer capabilities.  Not dumpable from the start, so
 * that the container can never trace it. */
static int
enter (const Helper *helper)
{
  if (prctl (PR_SET_DUMPABLE, 0) < 0 || setns (helper->user_namespace, CLONE_NEWUSER) < 0
      || setns (helper->mount_namespace, CLONE_NEWNS) < 0 || setgroups (0, NULL) < 0
      || setresgid (0, 0, 0) < 0 || setresuid (0, 0, 0) < 0 || prctl (PR_SET_DUMPABLE, 0) < 0
      || prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || limit_capabilities () < 0)
    return -1;
  (void) umask (0);
  return chdir ("/");
}

static void
keep_only (Helper *helper)
{
  int *fds[]
      = { &helper->user_namespace, &helper->mount_namespace, &helper->pipe, &helper->report };

  /* To numbers above all others, and then everything below is closed. */
  for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
    *fds[i] = dup3 (*fds[i], 1000 + (int) i, O_CLOEXEC);
  (void) close_range (3, 999, 0);
  (void) close_range (1004, ~0U, 0);
}

_Noreturn static void
run_helper (Helper helper)
{
  DnSyncReport report;
  sigset_t none;
  int root;
  int r;

  memset (&report, 0, sizeof report);
  report.kind = DN_SYNC_FAULT;
  (void) sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);
  (void) signal (SIGPIPE, SIG_DFL); /* nobody wants the bytes any more: end */
  keep_only (&helper);
  if (enter (&helper) < 0)
    r = dn_fault_set_errno (&report.fault, "enter the container");
  else if ((root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
    r = dn_fault_set_errno (&report.fault, "open the container's root");
  else if (helper.is_out)
    r = dn_copy_out (root, helper.path, helper.pipe, &report.fault);
  else
    r = dn_copy_in (root, helper.path, helper.pipe, &report.fault);
  if (r < 0)
    (void) dn_sync_report (helper.report, &report, -1);
  _exit (r < 0 ? 1 : 0);
}

static void
copy_free (DnCopy *copy)
{
  DnAgent *agent = copy->agent;

  for (DnCopy **at = &agent->copies; *at != NULL; at = &(*at)->next)
    if (*at == copy)
      {
        *at = copy->next;
        break;
      }
  agent->copy_count--;
  dn_stream_close (&copy->stream);
  dn_timer_stop (&copy->done_timer);
  dn_fd_clear (&copy->report_fd);
  dn_watch_remove (&copy->pid_watch);
  if (copy->pid_watch.fd >= 0 && !copy->has_ended)
    dn_orphan_adopt (&agent->loop, copy->pid_watch.fd);
  else
    dn_fd_clear (&copy->pid_watch.fd);
  free (copy);
}

/* Both the helper and its stream are through. */
static void
finish_if_done (DnCopy *copy)
{
  if (!copy->has_ended || (copy->stream.direction == DN_STREAM_OUT && !copy->stream.eof_sent))
    return;
  dn_agent_reply_fault (copy->agent, &copy->request, &copy->fault);
  copy_free (copy);
}

static void
helper_ended (DnWatch *watch, uint32_t events)
{
  DnCopy *copy = watch->data;
  siginfo_t info = { 0 };
  DnSyncReport report;
  int passed;

  (void) events;
  if (waitid (P_PIDFD, (id_t) watch->fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
    return;
  dn_watch_remove (watch); /* it stays readable */
  copy->has_ended = true;
  copy->fault = (DnFault){ 0 };
  if (dn_sync_take_report (copy->report_fd, &report, &passed) == 0)
    {
      copy->fault = report.fault;
      dn_fd_clear (&passed);
    }
  else if (info.si_code != CLD_EXITED || info.si_status != 0)
    (void) dn_fault_set (&copy->fault, -EIO, "the copy was interrupted");
  if (copy->fault.status > 0)
    copy->fault.status = -EIO;
  finish_if_done (copy);
}

static void
done_due (DnTimer *timer)
{
  finish_if_done (timer->data);
}

/* Called while the channel is asking the streams: the stream must outlive that. */
static void
stream_drained (DnStream *stream, void *data)
{
  DnCopy *copy = data;

  (void) stream;
  dn_timer_set (&copy->done_timer, 0);
}

static int
spawn (DnCopy *copy, const DnContainer *container, const char *path, bool is_out, DnFault *fault)
{
  int ends[2];
  int report[2];
  int pidfd = -1;
  struct clone_args args
      = { .flags = CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd, .exit_signal = SIGCHLD };
  Helper helper = { .user_namespace = container->user_namespace,
                    .mount_namespace = container->mount_namespace,
                    .path = path,
                    .is_out = is_out };
  long pid;

  if (pipe2 (ends, O_CLOEXEC) < 0)
    return dn_fault_set_errno (fault, "make a pipe");
  if (dn_sync_make (report) < 0)
    {
      (void) close (ends[0]);
      (void) close (ends[1]);
      return dn_fault_set (fault, -EMFILE, "make a socket pair");
    }
  helper.pipe = ends[is_out ? 1 : 0];
  helper.report = report[1];
  pid = syscall (SYS_clone3, &args, sizeof args);
  if (pid == 0)
    run_helper (helper);
  (void) close (helper.pipe);
  (void) close (report[1]);
  copy->report_fd = report[0];
  copy->pid_watch.fd = pidfd;
  if (pid < 0)
    {
      (void) close (ends[is_out ? 0 : 1]);
      return dn_fault_set_errno (fault, "start the copy");
    }
  if (dn_stream_attach (&copy->stream, ends[is_out ? 0 : 1]) < 0)
    return dn_fault_set (fault, -EIO, "watch the copy");
  return dn_watch_set (&copy->pid_watch, EPOLLIN);
}

void
dn_copy_start (DnAgent *agent, DnRequest request, DnContainer *container, uint32_t stream,
               const char *path, bool is_out)
{
  DnCopy *copy = agent->copy_count < DN_COPIES_MAX ? calloc (1, sizeof *copy) : NULL;
  DnFault fault;
  int r;

  if (copy == NULL || container->mount_namespace < 0 || container->is_deleting || path[0] != '/')
    {
      free (copy);
      dn_agent_reply (agent, &request, path[0] != '/' ? -EINVAL : -EBUSY,
                      path[0] != '/' ? "the path must be absolute"
                                     : "too many copies, or the container is not there yet");
      return;
    }
  copy->agent = agent;
  copy->container = container;
  copy->request = request;
  copy->next = agent->copies;
  agent->copies = copy;
  agent->copy_count++;
  dn_watch_init (&copy->pid_watch, &agent->loop, -1, helper_ended, copy);
  dn_timer_init (&copy->done_timer, &agent->loop, done_due, copy);
  copy->report_fd = -1;
  r = stream == 0 ? -EINVAL
                  : dn_stream_open (&copy->stream, &agent->streams,
                                    is_out ? DN_STREAM_OUT : DN_STREAM_IN, stream, false);
  if (r < 0)
    (void) dn_fault_set (&fault, r, "stream %u: cannot be used", stream);
  copy->stream.drained = stream_drained;
  copy->stream.data = copy;
  if (r < 0 || spawn (copy, container, path, is_out, &fault) < 0)
    {
      dn_agent_reply_fault (agent, &copy->request, &fault);
      copy_free (copy);
    }
}

void
dn_copies_forget_container (DnAgent *agent, const DnContainer *container)
{
  DnCopy *next;

  for (DnCopy *copy = agent->copies; copy != NULL; copy = next)
    {
      next = copy->next;
      if (copy->container != container)
        continue;
      dn_agent_reply (agent, &copy->request, -ECANCELED, "the container was deleted");
      copy_free (copy);
    }
}

void
dn_copies_forget_all (DnAgent *agent)
{
  while (agent->copies != NULL)
    copy_free (agent->copies);
}
