/* SPDX-License-Identifier: Apache-2.0 */
/* Asking inside: a process that joins the container by the very steps of exec, up to the point
 * where execve(2) would be. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autofd.h"
#include "child.h"
#include "sync.h"
#include "verify.h"

#define ANSWER_BYTES 16384
#define ANSWER_WAIT_MS 15000

static pid_t
clone_inside (const DnContainer *container)
{
  struct clone_args args = { .flags = CLONE_INTO_CGROUP,
                             .exit_signal = SIGCHLD,
                             .cgroup = (uint64_t) container->cgroup.fd };

  return (pid_t) syscall (SYS_clone3, &args, sizeof args);
}

/* Waits for READY, looks at the process as the agent does before a program runs, and lets it run.
 */
static bool
release (DnFacts *facts, DnContainer *container, pid_t pid, int sync_fd, bool is_first)
{
  DnProcess process = { .container = container, .number = 0, .pid = pid };
  struct pollfd poll_fd = { .fd = sync_fd, .events = POLLIN };
  DnSyncReport report;
  DnFault fault;
  int passed = -1;

  if (dn_container_limit_child (&process, &fault) < 0
      || poll (&poll_fd, 1, DN_SETUP_DEADLINE_MS) != 1
      || dn_sync_take_report (sync_fd, &report, &passed) < 0)
    return false;
  dn_fd_clear (&passed);
  if (report.kind != DN_SYNC_READY)
    {
      report.fault.message[DN_MESSAGE_BYTES] = '\0';
      dn_facts_addf (facts, pid, "exec.error", "%.200s", report.fault.message);
      return false;
    }
  if (is_first)
    (void) dn_verify_process (facts, "exec.", pid, container);
  return dn_sync_order (sync_fd, DN_SYNC_RUN, -1) == 0;
}

/* Everything until the other end closes, at most @size - 1 bytes. */
static void
read_answers (int fd, char *ret_text, size_t size)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  size_t used = 0;
  ssize_t n = 1;

  while (n > 0 && used + 1 < size && poll (&poll_fd, 1, ANSWER_WAIT_MS) == 1)
    {
      n = read (fd, ret_text + used, size - 1 - used);
      used += n > 0 ? (size_t) n : 0;
    }
  ret_text[used] = '\0';
}

/* Turns answers into facts.  Returns the attempts begun; the last one's outcome is how the process
 * ended, if it ended in it: by SIGSYS only where its filter killed it, see dn_verify_inside(). */
static int
take_answers (DnFacts *facts, char *text, pid_t pid, int wait_status)
{
  char *rest = text;
  char *line;
  int begun = 0;

  while ((line = strsep (&rest, "\n")) != NULL)
    {
      char *value = strchr (line, '\t');

      if (value == NULL)
        continue;
      *value++ = '\0';
      begun += strncmp (line, "try.", 4) == 0;
      if (value[0] != '\0')
        dn_facts_add (facts, pid, line, value);
      else if (rest == NULL && WIFSIGNALED (wait_status) && WTERMSIG (wait_status) == SIGSYS)
        dn_facts_add (facts, pid, line, "refused SIGSYS");
      else
        dn_facts_add (facts, pid, line, "unknown: the process ended");
    }
  return begun;
}

/* Returns how many attempts were begun; 0: it could not be asked. */
static int
ask (DnFacts *facts, DnContainer *container, int first)
{
  static char answers[ANSWER_BYTES];
  DnVerifyInside inside = { .config = &container->config, .first = first };
  int sync[2] = { -1, -1 };
  int output[2] = { -1, -1 };
  int null_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  int status = 0;
  DnChildPlan plan = { .process = &container->config.process,
                       .filter = container->filter,
                       .filter_count = container->filter_count,
                       .container_fd = container->processes->pid_watch.fd,
                       .container = container->id,
                       .run_dir = container->agent->options.run_dir,
                       .program = dn_verify_attempt_all,
                       .program_data = &inside };
  pid_t pid;

  if (null_fd < 0 || dn_sync_make (sync) < 0 || pipe2 (output, O_CLOEXEC) < 0)
    return 0; /* the verifier ends, and its descriptors with it */
  plan.sync_fd = sync[1];
  plan.stdio[0] = null_fd;
  plan.stdio[1] = plan.stdio[2] = output[1];
  pid = clone_inside (container);
  if (pid == 0)
    dn_child_run (&plan);
  (void) close (null_fd);
  (void) close (sync[1]);
  (void) close (output[1]);
  answers[0] = '\0';
  if (pid > 0)
    {
      if (release (facts, container, pid, sync[0], first == 0))
        read_answers (output[0], answers, sizeof answers);
      (void) kill (pid, SIGKILL); /* one that has ended already is a zombie and keeps its status */
      (void) waitpid (pid, &status, 0);
    }
  (void) close (sync[0]);
  (void) close (output[0]);
  return take_answers (facts, answers, pid, status);
}

void
dn_verify_inside (DnFacts *facts, DnContainer *container)
{
  int begun;

  /* What joins a frozen group is frozen itself. */
  if (container->is_paused)
    return;
  if (setns (container->processes->pid_watch.fd, CLONE_NEWPID) < 0)
    return;
  /* Whoever has the same id in the container can send the process a signal, but no SIGSYS that it
   * ignores: that ends it only when the kernel forces it on the process, as it does for a filter
   * and for nothing else.  Whence a SIGSYS came is nowhere to be read afterwards (si_code is for a
   * handler, and a filter that kills runs none), so it is settled beforehand, here, where the
   * process has not been made yet. */
  (void) signal (SIGSYS, SIG_IGN);
  /* A filter may kill for a call; then another process goes on behind it. */
  for (int first = 0; (begun = ask (facts, container, first)) > 0; first += begun)
    ;
}
