/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "autofd.h"
#include "child.h"
#include "sync.h"

/* Closes everything between the plan's descriptors.  The agent has a hundred of them open: sockets,
 * other containers' pipes, disks. */
int
dn_child_close_others (DnChild *child, DnFault *fault)
{
  const DnChildPlan *plan = child->plan;
  int kept[]
      = { plan->sync_fd, plan->stdio[0], plan->stdio[1], plan->stdio[2], plan->container_fd };
  const size_t count = sizeof kept / sizeof kept[0];
  int below = 2; /* 0 to 2 stay taken until the plan's are put there */

  (void) fault;
  for (;;)
    {
      int next = -1;

      for (size_t i = 0; i < count; i++)
        if (kept[i] > below && (next < 0 || kept[i] < next))
          next = kept[i];
      if (next < 0)
        return close_range ((unsigned) below + 1, ~0U, 0);
      if (next > below + 1 && close_range ((unsigned) below + 1, (unsigned) next - 1, 0) < 0)
        return -1;
      below = next;
    }
}

/* While the guest's root is seen.  What the container gets of it is a program that it runs: by its
 * /proc it can open the file, which lies on the guest's root, read-only and checked block by block.
 */
int
dn_child_open_reaper (DnChild *child, DnFault *fault)
{
  if (child->plan->reaper == NULL)
    return 0;
  child->reaper_fd = open (child->plan->reaper, O_RDONLY | O_CLOEXEC);
  return child->reaper_fd >= 0 ? 0
                               : dn_fault_set_errno (fault, "--init: '%s'", child->plan->reaper);
}

int
dn_child_enter_container (DnChild *child, DnFault *fault)
{
  const int all
      = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;

  (void) fault;
  /* One call, so that there is no moment in some of them only.  It also sets root and working
   * directory to the container's. */
  return setns (child->plan->container_fd, all);
}

int
dn_child_await_root (DnChild *child, DnFault *fault)
{
  const DnConfig *config = child->plan->config;
  int r = dn_sync_await_order (child->plan->sync_fd, DN_SYNC_PREPARE, &child->root_fd);

  if (r < 0 || child->root_fd < 0)
    return dn_fault_set (fault, -EIO, "wait for the root: the agent sent none");
  for (size_t i = 0;
       i < config->disk_mount_count + config->volume_mount_count + config->pod_mount_count; i++)
    {
      r = dn_sync_await_order (child->plan->sync_fd, DN_SYNC_DISK, &child->tree_fds[i]);
      if (r < 0 || child->tree_fds[i] < 0)
        return dn_fault_set (fault, -EIO, "wait for the disks: the agent sent too few");
    }
  if (child->plan->config->secrets == NULL)
    return 0;
  r = dn_sync_await_order (child->plan->sync_fd, DN_SYNC_SECRETS, &child->secrets_fd);
  if (r < 0 || child->secrets_fd < 0)
    return dn_fault_set (fault, -EIO, "wait for the secrets: the agent sent none");
  return 0;
}

int
dn_child_become_root (DnChild *child, DnFault *fault)
{
  sigset_t none;

  (void) fault;
  (void) child;
  /* The agent blocks the signals it reads from a descriptor; a program must not inherit that. */
  (void) sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);
  (void) signal (SIGPIPE, SIG_DFL);
  if (setgroups (0, NULL) < 0 || setresgid (0, 0, 0) < 0 || setresuid (0, 0, 0) < 0)
    return -1;
  /* A change of ids can make a process dumpable again, depending on fs.suid_dumpable. */
  if (prctl (PR_SET_DUMPABLE, 0) < 0 || setsid () < 0)
    return -1;
  (void) umask (022);
  return 0;
}

static int
write_sysctl (const char *path, const char *value)
{
  dn_autofd int fd = open (path, O_WRONLY | O_CLOEXEC);

  if (fd < 0)
    return -1;
  return write (fd, value, strlen (value)) < 0 ? -1 : 0;
}

static int
set_sysctls (const DnConfig *config, DnFault *fault)
{
  const char *name;
  json_t *value;

  /* Each file belongs to the namespaces of whoever opens it; names were checked by the config. */
  json_object_foreach (config->sysctls, name, value)
  {
    char path[256];

    (void) snprintf (path, sizeof path, "/proc/sys/%s", name);
    for (char *at = path + strlen ("/proc/sys/"); *at != '\0'; at++)
      if (*at == '.')
        *at = '/';
    if (write_sysctl (path, json_string_value (value)) < 0)
      return dn_fault_set_errno (fault, "sysctl '%s'", name);
  }
  return 0;
}

static int
bring_loopback_up (void)
{
  dn_autofd int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = { .ifr_name = "lo" };

  if (fd < 0)
    return errno == EAFNOSUPPORT ? 0 : -1;
  if (ioctl (fd, SIOCGIFFLAGS, &request) < 0)
    return -1;
  request.ifr_flags |= IFF_UP;
  return ioctl (fd, SIOCSIFFLAGS, &request);
}

int
dn_child_set_up_namespaces (DnChild *child, DnFault *fault)
{
  const DnConfig *config = child->plan->config;
  const char *hostname = config->hostname;
  char short_id[13];

  if (hostname == NULL || hostname[0] == '\0')
    {
      (void) snprintf (short_id, sizeof short_id, "%s", child->plan->container);
      hostname = short_id;
    }
  /* Here and not at the clone: the namespace's root is the cgroup its maker is in, and only now
   * that is the container's own. */
  if (unshare (CLONE_NEWCGROUP) < 0)
    return dn_fault_set_errno (fault, "make the cgroup namespace");
  if (sethostname (hostname, strlen (hostname)) < 0)
    return dn_fault_set_errno (fault, "set the hostname");
  if (bring_loopback_up () < 0)
    return dn_fault_set_errno (fault, "bring the loopback interface up");
  if (child->plan->card != NULL && child->plan->card->has_card
      && dn_card_set_up_inside (child->plan->card, fault) < 0)
    return fault->status;
  /* No user namespaces below this one: they are the way to most of the kernel's bugs.  Set with
   * capabilities that nobody in the container will have. */
  if (write_sysctl ("/proc/sys/user/max_user_namespaces", "0") < 0)
    return dn_fault_set_errno (fault, "forbid further user namespaces");
  return set_sysctls (config, fault);
}
