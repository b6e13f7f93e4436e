/* SPDX-License-Identifier: Apache-2.0 */
/* Files: what the image holds is fixed, what is private cannot run, pages cannot be changed from
 * below.  Everything is made in the container's own /tmp and removed. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define VICTIM DN_SCRATCH "/redteam-victim"

static int
create (const DnAim *aim)
{
  int fd = open (aim->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  int seen = dn_seen (fd);

  if (fd >= 0)
    {
      (void) close (fd);
      (void) unlink (aim->path);
    }
  return seen;
}

/* A copy of the probe itself, executed with --list. */
static int
execute_copy (const DnAim *aim)
{
  char *const arguments[] = { (char *) "copy", (char *) "--list", NULL };
  char *const environment[] = { NULL };
  int from = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  int to = open (aim->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
  struct stat size;
  int status = 0;
  pid_t child;

  if (from < 0 || to < 0 || fstat (from, &size) < 0
      || copy_file_range (from, NULL, to, NULL, (size_t) size.st_size, 0) < 0)
    {
      char bytes[16384];
      ssize_t n;

      while (from >= 0 && to >= 0 && (n = read (from, bytes, sizeof bytes)) > 0)
        if (write (to, bytes, (size_t) n) != n)
          return DN_SEEN_UNKNOWN;
    }
  (void) close (to);
  child = fork ();
  if (child == 0)
    {
      int null = open ("/dev/null", O_WRONLY | O_CLOEXEC);

      (void) dup2 (null, 1);
      (void) execve (aim->path, arguments, environment);
      _exit (errno);
    }
  (void) waitpid (child, &status, 0);
  (void) unlink (aim->path);
  return WIFEXITED (status) ? WEXITSTATUS (status) : DN_SEEN_UNKNOWN;
}

/* A file that may only be read, with 4096 times 'a'; -1 where it cannot be made. */
static int
open_victim (void)
{
  char page[4096];
  int fd = open (VICTIM, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0400);

  (void) memset (page, 'a', sizeof page);
  if (fd < 0 || write (fd, page, sizeof page) != sizeof page)
    return -1;
  (void) close (fd);
  return open (VICTIM, O_RDONLY | O_CLOEXEC);
}

static int
see_victim (int fd)
{
  char byte = 'a';
  ssize_t n = pread (fd, &byte, 1, 1);

  (void) unlink (VICTIM);
  return n != 1 ? DN_SEEN_UNKNOWN : byte == 'a' ? DN_SEEN_UNCHANGED : 0;
}

/* A pipe's buffers once full and emptied keep a flag with which later writes go to the file. */
static int
dirty_pipe (const DnAim *aim)
{
  char bytes[4096] = { 0 };
  off_t at = 0;
  int ends[2];
  int fd = open_victim ();

  (void) aim;
  if (fd < 0 || pipe (ends) < 0)
    return DN_SEEN_UNKNOWN;
  for (int i = 0; i < 16; i++)
    if (write (ends[1], bytes, sizeof bytes) != sizeof bytes)
      return DN_SEEN_UNKNOWN;
  for (int i = 0; i < 16; i++)
    if (read (ends[0], bytes, sizeof bytes) != sizeof bytes)
      return DN_SEEN_UNKNOWN;
  if (splice (fd, &at, ends[1], NULL, 1, 0) != 1 || write (ends[1], "X", 1) != 1)
    return DN_SEEN_UNKNOWN;
  return see_victim (fd);
}

typedef struct
{
  void *page;
  volatile int is_over;
} Cow;

static void *
discard (void *data)
{
  Cow *cow = data;

  while (!cow->is_over)
    (void) madvise (cow->page, 4096, MADV_DONTNEED);
  return NULL;
}

/* A private copy is written while it is thrown away, for a fifth of a second. */
static int
dirty_cow (const DnAim *aim)
{
  Cow cow = { 0 };
  struct timespec start, now;
  pthread_t thread;
  int fd = open_victim ();
  int memory = open ("/proc/self/mem", O_RDWR | O_CLOEXEC);

  (void) aim;
  if (memory < 0)
    {
      int seen = errno;

      (void) unlink (VICTIM);
      return seen;
    }
  cow.page = mmap (NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  if (fd < 0 || cow.page == MAP_FAILED || pthread_create (&thread, NULL, discard, &cow) != 0)
    return DN_SEEN_UNKNOWN;
  (void) clock_gettime (CLOCK_MONOTONIC, &start);
  do
    {
      (void) !pwrite (memory, "XX", 2, (off_t) (unsigned long) cow.page);
      (void) clock_gettime (CLOCK_MONOTONIC, &now);
    }
  while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 200);
  cow.is_over = 1;
  (void) pthread_join (thread, NULL);
  return see_victim (fd);
}

/* A setting that is a number: 0 when it is lower than aim.a. */
static int
read_setting (const DnAim *aim)
{
  char text[16] = "";
  int fd = open (aim->path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return errno;
  (void) !read (fd, text, sizeof text - 1);
  (void) close (fd);
  return atoi (text) >= aim->a ? DN_SEEN_BOUNDED : 0;
}

#define READ_ONLY "EROFS EACCES"
#define CREATE(id, technique, file)                                                                \
  {                                                                                                \
    "links." id, technique, "R4.3", READ_ONLY, READ_ONLY " ok", create, { .path = file }           \
  }
#define SETTING(id, technique, name, value)                                                        \
  {                                                                                                \
    "links." id, technique, "R5.15", "bounded", NULL, read_setting,                                \
    {                                                                                              \
      .path = "/proc/sys/fs/" name, .a = value                                                     \
    }                                                                                              \
  }

static const DnProbe probes[] = {
  CREATE ("root", "a file in /", "/redteam-file"),
  CREATE ("etc", "a file in /etc", "/etc/redteam-file"),
  CREATE ("bin", "a program in /bin", "/bin/redteam-file"),
  { "links.program",
    "another program in the place of this one",
    "R5.7",
    READ_ONLY " ETXTBSY",
    NULL,
    dn_attempt_open,
    { .path = "/redteam-probe", .a = O_WRONLY } },
  { "links.proc",
    "a file in /proc",
    "R2.2",
    "EROFS EACCES EPERM ENOENT",
    NULL,
    create,
    { .path = "/proc/redteam-file" } },
  { "links.sys",
    "a file in /sys",
    "R2.2",
    "EROFS EACCES EPERM ENOENT",
    NULL,
    create,
    { .path = "/sys/redteam-file" } },
  { "links.execute-tmp",
    "running what was written to /tmp",
    "R5.15",
    "EACCES",
    "ok",
    execute_copy,
    { .path = DN_SCRATCH "/redteam-copy" } },
  { "links.execute-shm",
    "running what was written to /dev/shm",
    "R5.15",
    "EACCES",
    NULL,
    execute_copy,
    { .path = "/dev/shm/redteam-copy" } },
  { "links.dirty-pipe",
    "Dirty Pipe (CVE-2022-0847)",
    "R1.6",
    "unchanged",
    NULL,
    dirty_pipe,
    { 0 } },
  { "links.dirty-cow",
    "Dirty COW (CVE-2016-5195)",
    "R1.6",
    "unchanged EACCES EPERM",
    NULL,
    dirty_cow,
    { 0 } },
  SETTING ("symlinks", "following others' links in /tmp", "protected_symlinks", 1),
  SETTING ("hardlinks", "links to others' files", "protected_hardlinks", 1),
  SETTING ("fifos", "others' pipes in /tmp", "protected_fifos", 1),
  SETTING ("regular", "others' files in /tmp", "protected_regular", 1),
};

DN_FAMILY (dn_links, probes);
