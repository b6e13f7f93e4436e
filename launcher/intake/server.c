/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/intake-order.h"
#include "jail.h"
#include "task.h"

/* In a jail: standard input is nothing, output and error are nothing, these follow. */
#define FD_INPUT 3
#define FD_REPORT 4
#define FD_FILES 5
/* Above all that is moved below it, for the time until the jail is there. */
#define FD_AWAY 64

static int
run_task (void *data)
{
  return dn_task_run (data);
}

static void
say_failed (const char *step, int code, void *data)
{
  char detail[128];

  (void) snprintf (detail, sizeof detail, "%s: %s", step, strerror (-code));
  (void) dn_task_fail (data, "jail", detail);
}

/* Puts the run's descriptors at their places and closes all others.  Returns: 0 or -errno */
static int
arrange (const DnFdList *fds, DnTaskRun *run, DnJail *jail)
{
  int away[DN_FDPASS_MAX], null_fd;

  for (size_t i = 0; i < fds->count; i++)
    if ((away[i] = fcntl (fds->fds[i], F_DUPFD_CLOEXEC, FD_AWAY)) < 0)
      return -errno;
  null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  if (null_fd < 0 || dup2 (null_fd, 0) < 0 || dup2 (null_fd, 1) < 0 || dup2 (null_fd, 2) < 0)
    return -errno;
  run->input = FD_INPUT;
  run->report = FD_REPORT;
  run->file_count = (guint) fds->count - DN_INTAKE_FDS;
  if (dup3 (away[DN_INTAKE_FD_INPUT], FD_INPUT, O_CLOEXEC) < 0
      || dup3 (away[DN_INTAKE_FD_REPORT], FD_REPORT, O_CLOEXEC) < 0)
    return -errno;
  for (guint i = 0; i < run->file_count; i++)
    {
      run->files[i] = (int) (FD_FILES + i);
      if (dup3 (away[DN_INTAKE_FDS + i], run->files[i], O_CLOEXEC) < 0)
        return -errno;
    }
  jail->staging_fd = (int) (FD_FILES + run->file_count);
  jail->lifeline_fd = jail->staging_fd + 1;
  if (dup3 (away[DN_INTAKE_FD_STAGING], jail->staging_fd, O_CLOEXEC) < 0
      || dup3 (away[DN_INTAKE_FD_LIFELINE], jail->lifeline_fd, O_CLOEXEC) < 0
      || close_range ((unsigned) jail->lifeline_fd + 1, ~0u, 0) < 0)
    return -errno;
  return 0;
}

/* Where the settings of registries are; in @path, of PATH_MAX bytes. */
static const char *
find_containers (const DnServePlan *plan, char *path)
{
  (void) snprintf (path, PATH_MAX, "%s/containers", plan->config);
  return access (path, F_OK) == 0 ? path : "/etc/containers";
}

/* In the process of its own. */
static _Noreturn void
run (const DnServePlan *plan, const DnIntakeOrder *order, const DnFdList *fds)
{
  const DnTask *task = dn_task_find (order->task);
  DnTaskRun task_run = { .task = task, .report = fds->fds[DN_INTAKE_FD_REPORT] };
  char path[PATH_MAX];
  DnJail jail = { .uid = order->uid,
                  .gid = order->gid,
                  .containers = find_containers (plan, path),
                  .file_bytes = RLIM_INFINITY };
  int r;

  if (task == NULL)
    {
      (void) dn_task_fail (&task_run, "order", order->task);
      _exit (EXIT_FAILURE);
    }
  jail.has_network = task->has_network;
  jail.programs = task->programs;
  jail.memory_bytes = task->memory_bytes;
  r = arrange (fds, &task_run, &jail);
  if (r < 0)
    {
      say_failed ("descriptors", r, &task_run);
      _exit (EXIT_FAILURE);
    }
  dn_jail_run (&jail, run_task, say_failed, &task_run);
}

/* One message of danchid's.  Returns: whether there may be another */
static bool
serve_one (const DnServePlan *plan, int fd)
{
  char text[DN_INTAKE_ORDER_MAX_BYTES];
  DnFdList fds = DN_FD_LIST_INIT;
  DnIntakeOrder order;
  ssize_t n = dn_fdpass_receive (fd, text, sizeof text - 1, &fds);

  if (n < 0 && (errno == EINTR || errno == EMFILE))
    return true;
  if (n <= 0)
    return false;
  text[n] = '\0';
  if (dn_intake_order_parse (text, &order) == 0 && fds.count >= DN_INTAKE_FDS && fork () == 0)
    run (plan, &order, &fds);
  /* A run that could not be begun is seen by danchid: nobody holds the report's other end. */
  dn_fd_list_clear (&fds);
  return true;
}

/* The socket's mode lets root alone connect; asked again here. */
static bool
is_from_us (int fd)
{
  struct ucred peer;
  socklen_t size = sizeof peer;

  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid ();
}

static void
accept_one (const DnServePlan *plan)
{
  int fd = accept4 (plan->fd, NULL, NULL, SOCK_CLOEXEC);

  if (fd < 0)
    return;
  if (is_from_us (fd))
    (void) serve_one (plan, fd);
  (void) close (fd);
}

int
dn_serve (const DnServePlan *plan)
{
  const struct rlimit none = { 0, 0 };

  /* Runs are reaped by the kernel: their report says how they ended. */
  if (signal (SIGCHLD, SIG_IGN) == SIG_ERR || signal (SIGPIPE, SIG_IGN) == SIG_ERR
      || setrlimit (RLIMIT_CORE, &none) < 0 || fcntl (plan->fd, F_SETFD, FD_CLOEXEC) < 0
      || prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    {
      perror ("danchi-intake");
      return EXIT_FAILURE;
    }
  if (plan->is_listening)
    while (true)
      accept_one (plan);
  while (serve_one (plan, plan->fd))
    ;
  return EXIT_SUCCESS;
}
