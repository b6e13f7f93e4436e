/* SPDX-License-Identifier: Apache-2.0 */
#include "inquiry.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "autofd.h"
#include "orphan.h"

/* Where a child keeps what it was given; everything else of the agent's is closed. */
#define KEPT_FIRST 1000
/* Answers passed on in one turn of the loop: others have their turn in between. */
#define ANSWERS_PER_TURN 32
/* The last record of a child that has said all; no message is that short. */
static const uint8_t all_said = 0;

typedef struct
{
  const DnInquiryKind *kind; /* NULL: the slot is free */
  DnAgent *agent;
  const DnContainer *container; /* NULL: of none */
  DnRequest request;
  DnWatch watch;
  DnTimer timer;
  int pidfd;
  bool is_complete;
} Inquiry;

static Inquiry inquiries[DN_INQUIRY_MOST];

static void
finish (Inquiry *inquiry, int status, const char *message)
{
  dn_agent_reply (inquiry->agent, &inquiry->request, status, message);
  dn_watch_remove (&inquiry->watch);
  dn_fd_clear (&inquiry->watch.fd);
  dn_timer_stop (&inquiry->timer);
  dn_orphan_adopt (inquiry->watch.loop, inquiry->pidfd);
  *inquiry = (Inquiry){ 0 };
}

static void
finish_at_end (Inquiry *inquiry)
{
  char text[80];

  (void) snprintf (text, sizeof text, "%s: it ended before all was said", inquiry->kind->name);
  if (inquiry->is_complete)
    finish (inquiry, 0, "");
  else
    finish (inquiry, -EIO, text);
}

static void
inquiry_late (DnTimer *timer)
{
  Inquiry *inquiry = timer->data;
  char text[80];

  (void) snprintf (text, sizeof text, "%s: it took too long", inquiry->kind->name);
  finish (inquiry, -ETIMEDOUT, text);
}

static void
answer_ready (DnWatch *watch, uint32_t events)
{
  Inquiry *inquiry = watch->data;
  uint8_t payload[1024];

  (void) events;
  for (int i = 0; i < ANSWERS_PER_TURN; i++)
    {
      ssize_t n = recv (watch->fd, payload, sizeof payload, MSG_DONTWAIT);

      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
      if (n <= 0)
        {
          finish_at_end (inquiry);
          return;
        }
      if (n == sizeof all_said)
        inquiry->is_complete = true;
      else if (dn_request_is_current (inquiry->agent, &inquiry->request))
        dn_agent_send (inquiry->agent, inquiry->kind->answer, payload, (int) n);
    }
}

/* To numbers above all others, and then everything below is closed. */
static void
keep_only (int *const *fds, size_t count)
{
  for (size_t i = 0; i < count; i++)
    *fds[i] = dup3 (*fds[i], KEPT_FIRST + (int) i, O_CLOEXEC);
  (void) close_range (3, KEPT_FIRST - 1, 0);
  (void) close_range (KEPT_FIRST + (unsigned) count, ~0U, 0);
}

_Noreturn static void
run_child (const Inquiry *inquiry, DnContainer *container, int fd)
{
  const DnInquiryKind *kind = inquiry->kind;
  sigset_t none;
  int *own[] = { &fd };

  (void) sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);
  (void) prctl (PR_SET_DUMPABLE, 0);
  (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (kind->prepare != NULL)
    kind->prepare (inquiry->agent, container);
  if (container == NULL || !kind->has_descriptors)
    keep_only (own, 1);
  else
    {
      int *kept[] = { &fd, &container->cgroup.fd, &container->processes->pid_watch.fd,
                      &container->mount_namespace };

      keep_only (kept, sizeof kept / sizeof kept[0]);
    }
  kind->run (inquiry->agent, container, inquiry->request.number, fd);
  _exit (send (fd, &all_said, sizeof all_said, MSG_NOSIGNAL) == sizeof all_said ? 0 : 1);
}

static int
spawn (Inquiry *inquiry, DnContainer *container)
{
  int ends[2];
  int pidfd = -1;
  struct clone_args args
      = { .flags = CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd, .exit_signal = SIGCHLD };
  long pid;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return -errno;
  pid = syscall (SYS_clone3, &args, sizeof args);
  if (pid == 0)
    run_child (inquiry, container, ends[1]);
  (void) close (ends[1]);
  if (pid < 0)
    {
      (void) close (ends[0]);
      return -EAGAIN;
    }
  inquiry->pidfd = pidfd;
  inquiry->watch.fd = ends[0];
  dn_timer_set (&inquiry->timer, inquiry->kind->deadline_ms);
  return dn_watch_set (&inquiry->watch, EPOLLIN);
}

void
dn_inquiry_start (DnAgent *agent, DnRequest request, DnContainer *container,
                  const DnInquiryKind *kind)
{
  Inquiry *inquiry = NULL;
  char text[80];
  int r;

  if (container != NULL
      && (container->is_deleting || container->processes->stage != DN_PROCESS_STAGE_RUNNING))
    {
      dn_agent_reply (agent, &request, -EBUSY, "the container is not running");
      return;
    }
  for (size_t i = 0; i < DN_INQUIRY_MOST && inquiry == NULL; i++)
    if (inquiries[i].kind == NULL)
      inquiry = &inquiries[i];
  (void) snprintf (text, sizeof text, "%s: too many at a time", kind->name);
  if (inquiry == NULL)
    {
      dn_agent_reply (agent, &request, -EBUSY, text);
      return;
    }
  *inquiry = (Inquiry){
    .kind = kind, .agent = agent, .container = container, .request = request, .pidfd = -1
  };
  dn_watch_init (&inquiry->watch, &agent->loop, -1, answer_ready, inquiry);
  dn_timer_init (&inquiry->timer, &agent->loop, inquiry_late, inquiry);
  r = spawn (inquiry, container);
  if (r == 0)
    return;
  (void) snprintf (text, sizeof text, "%s: cannot be started", kind->name);
  dn_agent_reply (agent, &inquiry->request, r, text);
  if (inquiry->pidfd >= 0)
    finish (inquiry, r, "");
  *inquiry = (Inquiry){ 0 };
}

void
dn_inquiry_forget_container (const DnContainer *container)
{
  for (size_t i = 0; i < DN_INQUIRY_MOST; i++)
    if (inquiries[i].kind != NULL && inquiries[i].container == container)
      finish (&inquiries[i], -ECANCELED, "the container was deleted");
}
