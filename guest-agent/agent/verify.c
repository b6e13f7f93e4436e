/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "autofd.h"
#include "orphan.h"

/* Where the verifier keeps what it was given; everything else of the agent's is closed. */
#define KEPT_FIRST 1000
/* Facts passed on in one turn of the loop: others have their turn in between. */
#define FACTS_PER_TURN 32

typedef struct
{
  bool is_used;
  DnAgent *agent;
  const DnContainer *container; /* NULL: the guest */
  DnRequest request;
  DnWatch watch;
  DnTimer timer;
  int pidfd;
} Verify;

static Verify verifies[DN_VERIFY_MOST];

static void
finish (Verify *verify, int status, const char *message)
{
  dn_agent_reply (verify->agent, &verify->request, status, message);
  dn_watch_remove (&verify->watch);
  dn_fd_clear (&verify->watch.fd);
  dn_timer_stop (&verify->timer);
  dn_orphan_adopt (verify->watch.loop, verify->pidfd);
  *verify = (Verify){ 0 };
}

static void
verify_late (DnTimer *timer)
{
  finish (timer->data, -ETIMEDOUT, "verify: it took too long");
}

static void
fact_ready (DnWatch *watch, uint32_t events)
{
  Verify *verify = watch->data;
  uint8_t payload[1024];

  (void) events;
  for (int i = 0; i < FACTS_PER_TURN; i++)
    {
      ssize_t n = recv (watch->fd, payload, sizeof payload, MSG_DONTWAIT);

      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
      if (n <= 0)
        {
          finish (verify, 0, "");
          return;
        }
      if (dn_request_is_current (verify->agent, &verify->request))
        dn_agent_send (verify->agent, DN_MSG_FACT, payload, (int) n);
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
run_verifier (DnAgent *agent, DnContainer *container, uint32_t request, int fd)
{
  DnFacts facts;
  sigset_t none;
  int *own[] = { &fd };

  (void) sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);
  (void) prctl (PR_SET_DUMPABLE, 0);
  (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (dn_facts_init (&facts) < 0)
    _exit (1);
  if (container == NULL)
    {
      keep_only (own, 1);
      dn_verify_guest (&facts, agent);
    }
  else
    {
      int *kept[] = { &fd, &container->cgroup.fd, &container->processes->pid_watch.fd,
                      &container->mount_namespace };

      keep_only (kept, sizeof kept / sizeof kept[0]);
      dn_verify_container (&facts, container);
      dn_verify_inside (&facts, container);
    }
  _exit (dn_facts_send (&facts, request, fd) < 0 ? 1 : 0);
}

static int
spawn (Verify *verify, DnContainer *container)
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
    run_verifier (verify->agent, container, verify->request.number, ends[1]);
  (void) close (ends[1]);
  if (pid < 0)
    {
      (void) close (ends[0]);
      return -EAGAIN;
    }
  verify->pidfd = pidfd;
  verify->watch.fd = ends[0];
  dn_timer_set (&verify->timer, DN_VERIFY_DEADLINE_MS);
  return dn_watch_set (&verify->watch, EPOLLIN);
}

void
dn_verify_start (DnAgent *agent, DnRequest request, DnContainer *container)
{
  Verify *verify = NULL;
  int r;

  if (container != NULL
      && (container->is_deleting || container->processes->stage != DN_PROCESS_STAGE_RUNNING))
    {
      dn_agent_reply (agent, &request, -EBUSY, "the container is not running");
      return;
    }
  for (size_t i = 0; i < DN_VERIFY_MOST && verify == NULL; i++)
    if (!verifies[i].is_used)
      verify = &verifies[i];
  if (verify == NULL)
    {
      dn_agent_reply (agent, &request, -EBUSY, "verify: too many at a time");
      return;
    }
  *verify = (Verify){
    .is_used = true, .agent = agent, .container = container, .request = request, .pidfd = -1
  };
  dn_watch_init (&verify->watch, &agent->loop, -1, fact_ready, verify);
  dn_timer_init (&verify->timer, &agent->loop, verify_late, verify);
  r = spawn (verify, container);
  if (r == 0)
    return;
  dn_agent_reply (agent, &verify->request, r, "verify: cannot be started");
  if (verify->pidfd >= 0)
    finish (verify, r, "");
  *verify = (Verify){ 0 };
}

void
dn_verify_forget_container (const DnContainer *container)
{
  for (size_t i = 0; i < DN_VERIFY_MOST; i++)
    if (verifies[i].is_used && verifies[i].container == container)
      finish (&verifies[i], -ECANCELED, "the container was deleted");
}
