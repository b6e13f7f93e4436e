/* SPDX-License-Identifier: Apache-2.0 */
#include "jail.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/no-rights.h"

/* Threads of a Go program and its lookups of names; the keeper and the task are among them. */
#define PROCESSES_MAX 128
#define DESCRIPTORS_MAX 256
#define KILL_EVERY_MS 50

/* Of /proc/self/status, opened before that path is gone. */
static int status_fd = -1;

static int
limit_resources (const DnJail *jail)
{
  const struct
  {
    int resource;
    rlim_t limit;
  } limits[] = {
    { RLIMIT_CORE, 0 }, /* credentials may be in memory */
    { RLIMIT_NOFILE, DESCRIPTORS_MAX },
    { RLIMIT_NPROC, PROCESSES_MAX },
    { RLIMIT_FSIZE, jail->file_bytes },
    { RLIMIT_MSGQUEUE, 0 },
#ifndef __SANITIZE_ADDRESS__ /* it maps terabytes of shadow */
    /* Not RLIMIT_AS: Go reserves far more addresses than it ever uses. */
    { RLIMIT_DATA, jail->memory_bytes },
#endif
  };

  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
    {
      struct rlimit limit;

      /* Never above what we were given: raising takes a right that not every root has. */
      if (getrlimit (limits[i].resource, &limit) < 0)
        return -errno;
      limit.rlim_max = limits[i].limit < limit.rlim_max ? limits[i].limit : limit.rlim_max;
      limit.rlim_cur = limit.rlim_max;
      if (setrlimit (limits[i].resource, &limit) < 0)
        return -errno;
    }
  return 0;
}

/* One call for ids and capabilities: after a plain setresuid(2) the bounding set would silently
 * stay full. */
static int
drop_ids_and_capabilities (const DnJail *jail)
{
  int code;

  capng_clear (CAPNG_SELECT_ALL);
  code = capng_change_id ((int) jail->uid, (int) jail->gid,
                          (capng_flags_t) (CAPNG_CLEAR_BOUNDING | CAPNG_DROP_SUPP_GRP));
  return code < 0 ? -EPERM : 0; /* a private code, not -errno: capng_change_id(3) */
}

/* After the ids, whose change forgets the signal; and who died before it was set is looked for. */
static int
forbid_more (const DnJail *jail)
{
  (void) jail;
  (void) umask (0077);
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) < 0
      || prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
    return -errno;
  return 0;
}

static int
load_filter (const DnJail *jail)
{
  return dn_jail_load_filter (jail->has_network);
}

static int
verify_from_the_kernel (const DnJail *jail)
{
  int r = dn_no_rights_check (status_fd, &(DnNoRights){ .uid = jail->uid, .gid = jail->gid });

  (void) close (status_fd);
  if (r < 0)
    return r;
  /* And by trying: neither a path of the host's nor its processes. */
  return access ("/proc", F_OK) < 0 && access ("/root", F_OK) < 0 && access ("/run", F_OK) < 0
                 && getpid () == 1
             ? 0
             : -EPERM;
}

/* The order is the security argument: a step may rely only on the steps above it. */
static const struct
{
  const char *name;
  int (*run) (const DnJail *jail);
} steps[] = {
  /* Needs CAP_SYS_ADMIN and mounts of our own; gives up every file that the task does not need. */
  { "root", dn_jail_enter_root },
  /* Needs nothing; gives up cores, and memory, files and processes without end. */
  { "limits", limit_resources },
  /* Needs CAP_SETUID, CAP_SETGID, CAP_SETPCAP; gives up root, groups and all capabilities. */
  { "ids-and-capabilities", drop_ids_and_capabilities },
  /* Needs nothing; gives up gaining rights through execve(2), and outliving the keeper. */
  { "no-new-privileges", forbid_more },
  /* Needs no_new_privs; gives up every unlisted call.  After the others, which need some. */
  { "filter", load_filter },
  /* Success codes are not evidence. */
  { "verify-from-the-kernel", verify_from_the_kernel },
};

static int
enter (const DnJail *jail, const char **ret_step)
{
  *ret_step = "evidence";
  status_fd = open ("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (status_fd < 0)
    return -errno;
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
    {
      int r;

      *ret_step = steps[i].name;
      r = steps[i].run (jail);
      if (r < 0)
        return r;
    }
  return 0;
}

/* The keeper, once the task's process is there: it needs to wait, and to end it. */
static _Noreturn void
keep (const DnJail *jail, pid_t child)
{
  int pidfd = (int) syscall (SYS_pidfd_open, child, 0), status = 0;
  struct pollfd polls[]
      = { { .fd = jail->lifeline_fd, .events = 0 }, { .fd = pidfd, .events = POLLIN } };
  pid_t parent = getppid ();

  /* The jail's ids here too: the same uid is enough to end it. */
  if (pidfd < 0 || drop_ids_and_capabilities (jail) < 0 || forbid_more (jail) < 0
      || getppid () != parent)
    {
      (void) kill (child, SIGKILL);
      _exit (EXIT_FAILURE);
    }
  while (poll (polls, 2, -1) < 0 && errno == EINTR)
    ;
  /* More than once: while the child is root yet, our ids cannot end it. */
  do
    (void) kill (child, SIGKILL);
  while (poll (&polls[1], 1, KILL_EVERY_MS) == 0);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  _exit (WIFEXITED (status) ? WEXITSTATUS (status) : EXIT_FAILURE);
}

_Noreturn void
dn_jail_run (const DnJail *jail, int (*main) (void *data),
             void (*failed) (const char *step, int code, void *data), void *data)
{
  const int spaces = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWCGROUP
                     | (jail->has_network ? 0 : CLONE_NEWNET);
  const char *step = "namespaces";
  pid_t child;
  int r;

  /* What the server ignores; a Go program has its own way with SIGPIPE. */
  (void) signal (SIGCHLD, SIG_DFL);
  (void) signal (SIGPIPE, SIG_DFL);
  (void) setsid ();
  /* libcap-ng reads the kernel's highest capability from /proc the first time: while it can. */
  capng_clear (CAPNG_SELECT_ALL);
  if (unshare (spaces) < 0 || (child = fork ()) < 0)
    {
      failed (step, -errno, data);
      _exit (EXIT_FAILURE);
    }
  if (child > 0)
    keep (jail, child);
  r = enter (jail, &step);
  if (r < 0)
    {
      failed (step, r, data);
      _exit (EXIT_FAILURE);
    }
  _exit (main (data));
}
