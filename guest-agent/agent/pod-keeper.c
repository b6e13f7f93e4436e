/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "autofd.h"
#include "console.h"
#include "container.h"
#include "keeper-child.h"
#include "readback.h"

/* The agent waits: for a few system calls of our own, which no container can hold up. */
#define READY_MS 10000
#define CGROUP_NAME "pod" /* no container's id is that */
#define MEMORY_BYTES (8 * 1024 * 1024)
/* It is in the guest's namespace of cgroups, where it sees its own. */
#define NAMESPACES (0x7f & ~DN_NAMESPACE_CGROUP)

static void
keeper_ended (DnWatch *watch, uint32_t events)
{
  DnAgent *agent = watch->data;
  siginfo_t info = { 0 };

  (void) events;
  /* Only when all others of its namespace are gone, the containers' first ones by our hand. */
  if (waitid (P_PIDFD, (id_t) watch->fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
    return;
  dn_watch_remove (watch);
  dn_fd_clear (&watch->fd);
  agent->pod_keeper.pid = -1;
  dn_console_log ("the pod's first process has ended, and with it all that shared its namespace");
}

void
dn_pod_keeper_init (DnAgent *agent)
{
  agent->pod_keeper = (DnPodKeeper){ .pid = -1, .cgroup = { .fd = -1 } };
  dn_watch_init (&agent->pod_keeper.watch, &agent->loop, -1, keeper_ended, agent);
}

/* As pid or -1.  Where the pod has nothing in common yet, this is the first that has it. */
static pid_t
clone_keeper (DnAgent *agent, int *ret_pidfd)
{
  struct clone_args args = { .flags = CLONE_PIDFD | CLONE_INTO_CGROUP | CLONE_NEWUSER | CLONE_NEWNS
                                      | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET,
                             .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
                             .exit_signal = SIGCHLD,
                             .cgroup = (uint64_t) agent->pod_keeper.cgroup.fd };

  return agent->pod.is_made ? dn_pod_clone (&agent->pod, agent->pod_keeper.cgroup.fd, -1, ret_pidfd)
                            : (pid_t) syscall (SYS_clone3, &args, sizeof args);
}

static int
await_ready (int fd, DnFault *fault)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  DnSyncReport report;
  ssize_t n = poll (&poll_fd, 1, READY_MS) == 1 ? recv (fd, &report, sizeof report, 0) : -1;

  if (n == 1)
    return 0;
  if (n != sizeof report)
    return dn_fault_set (fault, -EIO, "the pod's first process did not begin");
  *fault = report.fault;
  fault->message[DN_MESSAGE_BYTES] = '\0';
  return fault->status < 0 ? fault->status : -EIO;
}

/* Success codes are no evidence of this one either. */
static int
check_confined (pid_t pid, const DnConfig *config, DnFault *fault)
{
  const DnMsgStarted *started;
  DnReadback readback;
  bool is_nobody = true;

  if (dn_readback_read (pid, config, &readback, fault) < 0)
    return fault->status;
  started = &readback.started;
  for (size_t i = 0; i < DN_READBACK_IDS; i++)
    is_nobody = is_nobody && readback.uids[i] == config->first_uid + DN_POD_KEEPER_ID
                && readback.gids[i] == config->first_gid + DN_POD_KEEPER_ID;
  if (is_nobody && readback.group_count == 0 && readback.inner_pid == 1
      && (started->namespaces & NAMESPACES) == NAMESPACES && started->no_new_privs == 1
      && started->seccomp_mode == SECCOMP_MODE_FILTER
      && (started->cap_inheritable | started->cap_permitted | started->cap_effective
          | started->cap_bounding | started->cap_ambient)
             == 0)
    return 0;
  return dn_fault_set (fault, -EPERM, "the pod's first process is not confined as it must be");
}

/* From a clone that waits to one that keeps. */
static int
bring_up (DnAgent *agent, pid_t pid, int sync_fd, const DnConfig *config, DnFault *fault)
{
  int r = 0;

  if (!agent->pod.is_made)
    r = dn_container_make_pod (agent, pid, config, fault);
  if (r < 0)
    return r;
  if (dn_sync_order (sync_fd, DN_SYNC_PREPARE, -1) < 0)
    return dn_fault_set (fault, -EIO, "the pod's first process ended before it began");
  r = await_ready (sync_fd, fault);
  return r < 0 ? r : check_confined (pid, config, fault);
}

static int
start (DnAgent *agent, const DnConfig *config, DnFault *fault)
{
  dn_autofd int program = open (agent->options.keeper, O_RDONLY | O_CLOEXEC);
  int sync[2] = { -1, -1 };
  int pidfd = -1, r;
  pid_t pid;

  if (program < 0 || socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) < 0)
    return dn_fault_set_errno (fault, "the pod's first process, '%s'", agent->options.keeper);
  pid = clone_keeper (agent, &pidfd);
  if (pid == 0)
    dn_keeper_child_run (agent->options.run_dir, sync[1], program);
  (void) close (sync[1]);
  r = pid < 0 ? dn_fault_set_errno (fault, "make the pod's first process")
              : bring_up (agent, pid, sync[0], config, fault);
  (void) close (sync[0]);
  agent->pod_keeper.watch.fd = pidfd;
  if (r == 0 && dn_watch_set (&agent->pod_keeper.watch, EPOLLIN) < 0)
    r = dn_fault_set (fault, -EIO, "watch the pod's first process");
  if (r == 0)
    {
      agent->pod_keeper.pid = pid;
      return 0;
    }
  if (pid > 0)
    {
      (void) kill (pid, SIGKILL);
      (void) waitpid (pid, NULL, __WALL);
    }
  dn_fd_clear (&agent->pod_keeper.watch.fd);
  return r;
}

/* While it waits for all others of its namespace to be reaped, it is there still, but it has given
 * up the namespaces that it was in itself. */
static bool
is_ending (const DnPodKeeper *keeper)
{
  char path[64];

  (void) snprintf (path, sizeof path, "/proc/%d/ns/net", (int) keeper->pid);
  return access (path, F_OK) < 0;
}

int
dn_pod_keeper_need (DnAgent *agent, const DnConfig *config, DnFault *fault)
{
  const DnResources resources = { .memory_bytes = MEMORY_BYTES, .pids = 1 };
  DnPodKeeper *keeper = &agent->pod_keeper;
  int r;

  if (keeper->watch.fd >= 0)
    return !is_ending (keeper)
               ? 0
               : dn_fault_set (fault, -ENOENT, "the pod's first process before has not ended yet");
  if (config->id_count <= DN_POD_KEEPER_ID)
    return dn_fault_set (fault, -EINVAL, "a pod that shares its processes needs id %d",
                         DN_POD_KEEPER_ID);
  if (keeper->cgroup.fd < 0
      && dn_cgroup_make (&keeper->cgroup, &agent->cgroups, CGROUP_NAME, &resources, fault) < 0)
    return fault->status;
  r = start (agent, config, fault);
  return r == -ENOENT ? -EIO : r;
}
