/* SPDX-License-Identifier: Apache-2.0 */
/* Taking all there is.  Each bomb has a fuse: it stops where a default must have stopped it long
 * before, and gives back what it took. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* aim.a: how many processes are too many.  They wait on a pipe and end with it. */
static int
fork_many (const DnAim *aim)
{
  int ends[2];
  long made = 0;
  int seen = 0;

  if (pipe (ends) < 0)
    return DN_SEEN_UNKNOWN;
  for (; made < aim->a && seen == 0; made++)
    {
      pid_t child = fork ();
      char byte;

      if (child == 0)
        {
          (void) close (ends[1]);
          (void) !read (ends[0], &byte, 1);
          _exit (0);
        }
      if (child < 0)
        seen = errno;
    }
  (void) close (ends[1]);
  while (waitpid (-1, NULL, 0) > 0)
    continue;
  return seen;
}

/* aim.a: how many descriptors are too many. */
static int
open_many (const DnAim *aim)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    {
      limit.rlim_cur = limit.rlim_max;
      (void) setrlimit (RLIMIT_NOFILE, &limit);
    }
  for (long i = 0; i < aim->a; i++)
    if (dup (0) < 0)
      return errno;
  return 0;
}

/* aim.a: how many MiB are too many in the directory aim.path. */
static int
fill (const DnAim *aim)
{
  static char bytes[1 << 20];
  char path[128];
  int seen = 0;
  int fd;

  (void) snprintf (path, sizeof path, "%s/redteam-fill", aim->path);
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return errno;
  (void) unlink (path);
  (void) memset (bytes, 1, sizeof bytes);
  for (long i = 0; i < aim->a && seen == 0; i++)
    seen = dn_seen (write (fd, bytes, sizeof bytes));
  (void) close (fd);
  return seen;
}

/* aim.a: how many files are too many in the directory aim.path. */
static int
create_many (const DnAim *aim)
{
  char path[128];
  long made = 0;
  int seen = 0;

  for (; made < aim->a && seen == 0; made++)
    {
      (void) snprintf (path, sizeof path, "%s/redteam-%ld", aim->path, made);
      seen = dn_seen (mknod (path, S_IFREG | 0600, 0));
    }
  while (made-- > 0)
    {
      (void) snprintf (path, sizeof path, "%s/redteam-%ld", aim->path, made);
      (void) unlink (path);
    }
  return seen;
}

/* The kernel's memory for messages, which is counted by RLIMIT_MSGQUEUE alone. */
static int
queue_many (const DnAim *aim)
{
  struct mq_attr attributes = { .mq_maxmsg = 10, .mq_msgsize = 8192 };
  char name[32];
  long made = 0;
  int seen = 0;

  for (; made < aim->a && seen == 0; made++)
    {
      (void) snprintf (name, sizeof name, "/redteam-%ld", made);
      seen = dn_seen (mq_open (name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes));
    }
  while (made-- > 0)
    {
      (void) snprintf (name, sizeof name, "/redteam-%ld", made);
      (void) mq_unlink (name);
    }
  return seen;
}

/* Dies as a crash would, with the largest core limit that is to be had. */
static int
dump_core (const DnAim *aim)
{
  struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
  int status = 0;
  pid_t child;

  (void) aim;
  (void) setrlimit (RLIMIT_CORE, &limit);
  child = fork ();
  if (child == 0)
    {
      (void) !chdir (DN_SCRATCH);
      abort ();
    }
  (void) waitpid (child, &status, 0);
  (void) unlink (DN_SCRATCH "/core");
  return WIFSIGNALED (status) && WCOREDUMP (status) ? 0 : DN_SEEN_ABSENT;
}

/* Signals queue in the kernel's memory. */
static int
queue_signals (const DnAim *aim)
{
  sigset_t blocked;

  (void) sigemptyset (&blocked);
  (void) sigaddset (&blocked, SIGRTMIN);
  (void) sigprocmask (SIG_BLOCK, &blocked, NULL);
  for (long i = 0; i < aim->a; i++)
    if (sigqueue (getpid (), SIGRTMIN, (union sigval){ 0 }) < 0)
      return errno;
  return 0;
}

static const DnProbe probes[] = {
  { "bombs.fork", "a fork bomb of 1,500", "R5.14", "EAGAIN", NULL, fork_many, { .a = 1500 } },
  { "bombs.descriptors",
    "more than a million open files",
    "R5.14",
    "EMFILE ENFILE",
    NULL,
    open_many,
    { .a = 1100000 } },
  { "bombs.tmp",
    "/tmp filled with 160 MiB",
    "R5.14",
    "ENOSPC",
    NULL,
    fill,
    { .path = DN_SCRATCH, .a = 160 } },
  { "bombs.shm",
    "/dev/shm filled with 160 MiB",
    "R5.14",
    "ENOSPC",
    NULL,
    fill,
    { .path = "/dev/shm", .a = 160 } },
  { "bombs.dev",
    "/dev filled with 4 MiB",
    "R5.14",
    "ENOSPC EROFS EACCES",
    NULL,
    fill,
    { .path = "/dev", .a = 4 } },
  { "bombs.inodes",
    "100,000 empty files in /tmp",
    "R5.14",
    "ENOSPC",
    NULL,
    create_many,
    { .path = DN_SCRATCH, .a = 100000 } },
  { "bombs.queues",
    "300 message queues",
    "R5.14",
    "EMFILE ENOSPC ENOMEM ENOSYS",
    NULL,
    queue_many,
    { .a = 300 } },
  { "bombs.signals",
    "a million queued signals",
    "R5.14",
    "EAGAIN",
    NULL,
    queue_signals,
    { .a = 1000000 } },
  { "bombs.core", "a core file", "R5.14", "absent", NULL, dump_core, { 0 } },
};

DN_FAMILY (dn_bombs, probes);
