/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and steering other processes.  The victim is the attempt's own parent or child, which
 * weaker walls let through: what is refused here is refused for others too. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "probe.h"

static int
trace_me (const DnAim *aim)
{
  (void) aim;
  return dn_seen (ptrace (PTRACE_TRACEME, 0, NULL, NULL));
}

/* aim.a: the request.  A child that would be stopped goes on when its tracer ends. */
static int
attach (const DnAim *aim)
{
  pid_t child = fork ();
  int seen;

  if (child == 0)
    for (;;)
      pause ();
  seen = dn_seen (ptrace ((enum __ptrace_request) aim->a, child, NULL, NULL));
  dn_process_end (child);
  return seen;
}

static int
copy_memory (const DnAim *aim)
{
  static char word;
  char copy = 0;
  const struct iovec here = { &copy, 1 }, there = { &word, 1 };
  pid_t victim = getppid ();

  return dn_seen (aim->a == 0 ? process_vm_readv (victim, &here, 1, &there, 1, 0)
                              : process_vm_writev (victim, &here, 1, &there, 1, 0));
}

static int
take_descriptor (const DnAim *aim)
{
  int fd = dn_process_open_parent ();

  (void) aim;
  return fd < 0 ? errno : dn_seen (syscall (SYS_pidfd_getfd, fd, 1, 0));
}

/* aim.path: a file in the parent's directory; aim.a: how it is opened.  Some files ask at open,
 * others when they are read. */
static int
look_into (const DnAim *aim)
{
  char path[64], byte;
  int fd;

  (void) snprintf (path, sizeof path, "/proc/%d/%s", (int) getppid (), aim->path);
  fd = open (path, (int) aim->a | O_CLOEXEC);
  if (fd < 0 || aim->a != O_RDONLY)
    return dn_seen (fd);
  return dn_seen (read (fd, &byte, 1));
}

static bool
is_runtime (pid_t pid, const char text[DN_PROCESS_TEXT_BYTES], const void *data)
{
  static const char *const names[]
      = { "danchi", "init", "runc", "crun", "conmon", "containerd", "runsc", "systemd" };

  (void) data;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    /* `init` is what some runtimes call a container's own first process. */
    if (strncmp (text, names[i], strlen (names[i])) == 0 && pid != 1)
      return true;
  return false;
}

/* A process of the runtime's or the guest's, by its name: what one does not see, one cannot name.
 */
static int
find_runtime (const DnAim *aim)
{
  (void) aim;
  return dn_process_find ("comm", is_runtime, NULL);
}

/* The parent of the container's first process is outside, so it has no number here. */
static int
find_outer_parent (const DnAim *aim)
{
  char line[128];
  FILE *file = fopen (aim->path, "re");
  int parent = -1;

  if (file == NULL)
    return errno;
  while (fgets (line, sizeof line, file) != NULL)
    if (strncmp (line, "PPid:", 5) == 0)
      parent = atoi (line + 5);
  (void) fclose (file);
  return parent == 0 ? DN_SEEN_HIDDEN : 0;
}

static const DnProbe probes[] = {
  { "tracing.trace-me", "ptrace(PTRACE_TRACEME)", "R3.6", "EPERM", NULL, trace_me, { 0 } },
  { "tracing.attach",
    "ptrace(PTRACE_ATTACH)",
    "R3.6",
    "EPERM",
    NULL,
    attach,
    { .a = PTRACE_ATTACH } },
  { "tracing.seize", "ptrace(PTRACE_SEIZE)", "R3.6", "EPERM", NULL, attach, { .a = PTRACE_SEIZE } },
  { "tracing.read-memory", "process_vm_readv", "R3.6", "EPERM", NULL, copy_memory, { .a = 0 } },
  { "tracing.write-memory", "process_vm_writev", "R3.6", "EPERM", NULL, copy_memory, { .a = 1 } },
  { "tracing.pidfd-getfd",
    "pidfd_getfd: another's descriptor",
    "R3.6",
    "EPERM",
    NULL,
    take_descriptor,
    { 0 } },
  { "tracing.proc-mem",
    "another's memory as a file (CVE-2012-0056 class)",
    "R2.2",
    "EACCES EPERM EROFS",
    NULL,
    look_into,
    { .path = "mem", .a = O_RDWR } },
  { "tracing.syscall-file",
    "what another waits for",
    "R2.2",
    "EACCES EPERM ENOENT",
    NULL,
    look_into,
    { .path = "syscall", .a = O_RDONLY } },
  { "tracing.stack",
    "where in the kernel another waits",
    "R2.2",
    "EACCES EPERM ENOENT",
    NULL,
    look_into,
    { .path = "stack", .a = O_RDONLY } },
  { "tracing.runtime", "the runtime's processes", "R1.6", "hidden", NULL, find_runtime, { 0 } },
  { "tracing.outer-parent",
    "who started the first process",
    "R1.6",
    "hidden",
    NULL,
    find_outer_parent,
    { .path = "/proc/1/status" } },
};

DN_FAMILY (dn_tracing, probes);
