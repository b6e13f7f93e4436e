/* SPDX-License-Identifier: Apache-2.0 */
/* New namespaces, and those of others.  A user namespace hands out every capability within it, and
 * with them the kernel code that has been broken most often. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

static int
unshare_namespace (const DnAim *aim)
{
  return dn_seen (unshare ((int) aim->a));
}

/* What a child would be in the new namespace ends at once. */
static int
clone_child (const DnAim *aim)
{
  long child = syscall (SYS_clone, aim->a | SIGCHLD, 0, 0, 0, 0);
  int seen = dn_seen (child);

  if (child == 0)
    _exit (0);
  dn_process_end (child);
  return seen;
}

static int
clone3_child (const DnAim *aim)
{
  struct clone_args args = { .flags = (uint64_t) aim->a, .exit_signal = SIGCHLD };
  long child = syscall (SYS_clone3, &args, sizeof args);
  int seen = dn_seen (child);

  if (child == 0)
    _exit (0);
  dn_process_end (child);
  return seen;
}

static int
join_namespace (const DnAim *aim)
{
  int fd = open (aim->path, O_RDONLY | O_CLOEXEC);

  return fd < 0 ? errno : dn_seen (setns (fd, (int) aim->a));
}

static int
join_by_pidfd (const DnAim *aim)
{
  int fd = dn_process_open_parent ();

  return fd < 0 ? errno : dn_seen (setns (fd, (int) aim->a));
}

/* Maps are written once by whoever made the namespace. */
static int
write_map (const DnAim *aim)
{
  int fd = open (aim->path, O_WRONLY | O_CLOEXEC);

  return fd < 0 ? errno : dn_seen (write (fd, "0 0 1", 5));
}

#define NEW_TIME 0x80

static const DnProbe probes[] = {
  { "namespaces.unshare-user",
    "unshare(CLONE_NEWUSER): capabilities anew (CVE-2022-0185 class)",
    "R3.6",
    "EPERM ENOSPC",
    NULL,
    unshare_namespace,
    { .a = CLONE_NEWUSER } },
  { "namespaces.unshare-mount",
    "unshare(CLONE_NEWNS)",
    "R3.6",
    "EPERM",
    NULL,
    unshare_namespace,
    { .a = CLONE_NEWNS } },
  { "namespaces.unshare-net",
    "unshare(CLONE_NEWNET): nftables as root (CVE-2023-32233 class)",
    "R3.6",
    "EPERM",
    NULL,
    unshare_namespace,
    { .a = CLONE_NEWNET } },
  { "namespaces.unshare-pid",
    "unshare(CLONE_NEWPID)",
    "R3.6",
    "EPERM",
    NULL,
    unshare_namespace,
    { .a = CLONE_NEWPID } },
  { "namespaces.unshare-ipc",
    "unshare(CLONE_NEWIPC)",
    "R3.6",
    "EPERM",
    NULL,
    unshare_namespace,
    { .a = CLONE_NEWIPC } },
  { "namespaces.unshare-uts",
    "unshare(CLONE_NEWUTS)",
    "R3.6",
    "EPERM",
    NULL,
    unshare_namespace,
    { .a = CLONE_NEWUTS } },
  { "namespaces.unshare-cgroup",
    "unshare(CLONE_NEWCGROUP)",
    "R3.6",
    "EPERM",
    NULL,
    unshare_namespace,
    { .a = CLONE_NEWCGROUP } },
  { "namespaces.unshare-time",
    "unshare(CLONE_NEWTIME): a clock of one's own",
    "R3.6",
    "EPERM",
    NULL,
    unshare_namespace,
    { .a = NEW_TIME } },
  { "namespaces.unshare-both",
    "unshare(NEWUSER|NEWNS) at once (CVE-2022-0492's first step)",
    "R3.6",
    "EPERM ENOSPC",
    NULL,
    unshare_namespace,
    { .a = CLONE_NEWUSER | CLONE_NEWNS } },
  { "namespaces.clone-user",
    "clone(CLONE_NEWUSER)",
    "R3.6",
    "EPERM ENOSPC",
    NULL,
    clone_child,
    { .a = CLONE_NEWUSER } },
  { "namespaces.clone-mount",
    "clone(CLONE_NEWNS)",
    "R3.6",
    "EPERM",
    NULL,
    clone_child,
    { .a = CLONE_NEWNS } },
  { "namespaces.clone-net",
    "clone(CLONE_NEWNET)",
    "R3.6",
    "EPERM",
    NULL,
    clone_child,
    { .a = CLONE_NEWNET } },
  { "namespaces.clone-pid",
    "clone(CLONE_NEWPID)",
    "R3.6",
    "EPERM",
    NULL,
    clone_child,
    { .a = CLONE_NEWPID } },
  { "namespaces.clone-dirty",
    "clone(CLONE_NEWUSER) with a dirty upper half (CVE-2019-7303 class)",
    "R3.6",
    "EPERM ENOSPC",
    NULL,
    clone_child,
    { .a = CLONE_NEWUSER | (1L << 40) } },
  { "namespaces.clone3-user",
    "clone3(CLONE_NEWUSER): flags that no filter sees",
    "R3.6",
    "ENOSYS EPERM",
    NULL,
    clone3_child,
    { .a = CLONE_NEWUSER } },
  { "namespaces.clone3-plain",
    "clone3 without a flag: the call as a whole",
    "R3.6",
    "ENOSYS",
    NULL,
    clone3_child,
    { 0 } },
  { "namespaces.setns-user",
    "setns to one's own user namespace",
    "R3.6",
    "EPERM",
    NULL,
    join_namespace,
    { .path = "/proc/self/ns/user", .a = CLONE_NEWUSER } },
  { "namespaces.setns-mount",
    "setns to the mount namespace of pid 1",
    "R3.6",
    "EPERM EACCES",
    NULL,
    join_namespace,
    { .path = "/proc/1/ns/mnt", .a = CLONE_NEWNS } },
  { "namespaces.setns-pidfd",
    "setns by a pidfd, all namespaces of a process at once",
    "R3.6",
    "EPERM",
    NULL,
    join_by_pidfd,
    { .a = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID } },
  { "namespaces.uid-map",
    "writing a user namespace's uid map",
    "R2.4",
    "EPERM EACCES EROFS",
    NULL,
    write_map,
    { .path = "/proc/self/uid_map" } },
};

DN_FAMILY (dn_namespaces, probes);
