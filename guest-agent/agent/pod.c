/* SPDX-License-Identifier: Apache-2.0 */
#include "pod.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autofd.h"

/* The user namespace first: it gives the rights over the others. */
static const char *const names[DN_POD_NAMESPACES] = { "user", "ipc", "uts", "net" };

void
dn_pod_init (DnPod *pod)
{
  *pod = (DnPod){ .is_made = false };
  for (size_t i = 0; i < DN_POD_NAMESPACES; i++)
    pod->namespaces[i] = -1;
}

int
dn_pod_take (DnPod *pod, pid_t pid, DnFault *fault)
{
  for (size_t i = 0; i < DN_POD_NAMESPACES; i++)
    {
      char path[64];

      (void) snprintf (path, sizeof path, "/proc/%d/ns/%s", (int) pid, names[i]);
      dn_fd_clear (&pod->namespaces[i]);
      pod->namespaces[i] = open (path, O_RDONLY | O_CLOEXEC);
      if (pod->namespaces[i] < 0)
        return dn_fault_set_errno (fault, "keep the pod's %s namespace", names[i]);
    }
  pod->is_made = true;
  return 0;
}

/* In between: goes to the pod's namespaces, and makes there what the agent is the parent of.
 * Returns: in that one alone. */
static void
clone_inside (const DnPod *pod, int cgroup_fd, int processes, int report_fd)
{
  /* No exit signal: that of a child of the agent's is this process's. */
  struct clone_args args
      = { .flags = CLONE_PARENT | CLONE_INTO_CGROUP | CLONE_NEWNS, .cgroup = (uint64_t) cgroup_fd };
  int32_t result = 0;

  /* For children only, as a new one is; before the user namespace, which has no right over a
   * process that is not in it. */
  if (processes < 0)
    args.flags |= CLONE_NEWPID;
  else if (setns (processes, CLONE_NEWPID) < 0)
    result = -errno;

  for (size_t i = 0; i < DN_POD_NAMESPACES && result == 0; i++)
    if (setns (pod->namespaces[i], 0) < 0)
      result = -errno;
  if (result == 0)
    {
      long pid = syscall (SYS_clone3, &args, sizeof args);

      if (pid == 0)
        return;
      result = pid < 0 ? -errno : (int32_t) pid;
    }
  (void) !write (report_fd, &result, sizeof result);
  _exit (EXIT_SUCCESS);
}

pid_t
dn_pod_clone (const DnPod *pod, int cgroup_fd, int processes, int *ret_pidfd)
{
  int report[2];
  int32_t result = -EIO;
  pid_t between;

  if (pipe2 (report, O_CLOEXEC) < 0)
    return -1;
  between = fork ();
  if (between == 0)
    {
      clone_inside (pod, cgroup_fd, processes, report[1]);
      return 0;
    }
  (void) close (report[1]);
  /* A handful of system calls of our own code: nothing that a container could hold up. */
  if (between > 0 && read (report[0], &result, sizeof result) != sizeof result)
    result = -EIO;
  if (between > 0)
    (void) waitpid (between, NULL, 0);
  else
    result = -errno;
  (void) close (report[0]);
  if (result > 0 && (*ret_pidfd = (int) syscall (SYS_pidfd_open, result, 0)) < 0)
    {
      int saved_errno = errno;

      (void) kill (result, SIGKILL);
      (void) waitpid (result, NULL, __WALL);
      result = -saved_errno;
    }
  if (result < 0)
    errno = -result;
  return result < 0 ? -1 : result;
}
