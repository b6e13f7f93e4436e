/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc says of one process of a container: of each of its threads, and of what they share. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "autofd.h"
#include "verify.h"

static void
add_file (const DnVerifyThread *thread, const char *file, const char *name)
{
  char text[256];

  if (dn_facts_read_file (thread->proc, file, text, sizeof text) == 0)
    dn_verify_thread_add (thread, name, text);
}

static void
print_limit (rlim_t limit, char ret_text[24])
{
  if (limit == RLIM_INFINITY)
    (void) snprintf (ret_text, 24, "unlimited");
  else
    (void) snprintf (ret_text, 24, "%llu", (unsigned long long) limit);
}

static void
add_limits (const DnVerifyThread *thread)
{
  static const struct
  {
    int resource;
    const char *name;
  } limits[] = {
#define LIMIT(name) { RLIMIT_##name, "rlimit.RLIMIT_" #name }
    LIMIT (CPU),        LIMIT (FSIZE),  LIMIT (DATA),     LIMIT (STACK),
    LIMIT (CORE),       LIMIT (RSS),    LIMIT (NPROC),    LIMIT (NOFILE),
    LIMIT (AS),         LIMIT (LOCKS),  LIMIT (NICE),     LIMIT (RTPRIO),
    LIMIT (SIGPENDING), LIMIT (RTTIME), LIMIT (MSGQUEUE), LIMIT (MEMLOCK),
  };

  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
    {
      struct rlimit limit;
      char soft[24];
      char hard[24];
      char both[64];

      if (prlimit (thread->tid, (enum __rlimit_resource) limits[i].resource, NULL, &limit) < 0)
        continue;
      print_limit (limit.rlim_cur, soft);
      print_limit (limit.rlim_max, hard);
      (void) snprintf (both, sizeof both, "%s %s", soft, hard);
      dn_verify_thread_add (thread, limits[i].name, both);
    }
}

/* Opens /proc/PID/task, or NULL: it has ended. */
static DIR *
open_threads (pid_t pid)
{
  char path[32];

  (void) snprintf (path, sizeof path, "/proc/%d/task", (int) pid);
  return opendir (path);
}

/* The next one's directory; -1: no more.  One that is gone again is passed over. */
static int
next_thread (DIR *threads, pid_t *ret_tid)
{
  struct dirent *entry;

  while ((entry = readdir (threads)) != NULL)
    {
      int fd;

      if (entry->d_name[0] == '.')
        continue;
      fd = openat (dirfd (threads), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (fd < 0)
        continue;
      *ret_tid = (pid_t) atoi (entry->d_name);
      return fd;
    }
  return -1;
}

/* Most threads of a process share one table of descriptors, which is then looked at once.  A kernel
 * without kcmp(2) has each thread's looked at. */
static bool
shares_descriptors (pid_t one, pid_t other)
{
  return syscall (SYS_kcmp, one, other, KCMP_FILES, 0, 0) == 0;
}

pid_t
dn_verify_live_thread (pid_t pid)
{
  DIR *threads = open_threads (pid);
  pid_t live = -1;
  pid_t tid;
  int fd;

  while (threads != NULL && live < 0 && (fd = next_thread (threads, &tid)) >= 0)
    {
      const DnVerifyThread thread = { .tid = tid, .proc = fd };

      if (dn_verify_thread_lives (&thread))
        live = tid;
      (void) close (fd);
    }
  if (threads != NULL)
    (void) closedir (threads);
  return live < 0 ? pid : live;
}

/* What all threads of a process have in common. */
static void
add_shared (const DnVerifyThread *thread)
{
  add_file (thread, "uid_map", "id_map.uid");
  add_file (thread, "gid_map", "id_map.gid");
  add_file (thread, "oom_score_adj", "oom_score_adj");
  add_limits (thread);
}

size_t
dn_verify_process (DnFacts *facts, const char *prefix, pid_t pid, const DnContainer *container)
{
  static size_t seen; /* in all: a verifier looks once and ends */
  DIR *threads = open_threads (pid);
  pid_t first = dn_verify_live_thread (container->processes->pid);
  DnVerifyThread thread = { .facts = facts, .prefix = prefix };
  pid_t live = 0;
  size_t count = 0;

  if (threads == NULL)
    return 0; /* ended meanwhile */
  while (seen < DN_VERIFY_THREADS_MAX && (thread.proc = next_thread (threads, &thread.tid)) >= 0)
    {
      seen++;
      if (dn_verify_thread (&thread, first, live == 0 || !shares_descriptors (live, thread.tid)))
        {
          if (live == 0)
            add_shared (&thread);
          live = live == 0 ? thread.tid : live;
          count++;
        }
      (void) close (thread.proc);
    }
  if (seen >= DN_VERIFY_THREADS_MAX)
    facts->is_full = true;
  (void) closedir (threads);
  return count;
}
