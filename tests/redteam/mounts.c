/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts: making, changing and removing them, by the old calls and by the new. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

#define TARGET DN_SCRATCH "/redteam-mount"

/* aim.path: the type; it is mounted on a directory of its own and taken away again. */
static int
mount_type (const DnAim *aim)
{
  static const char overlay[] = "lowerdir=/,upperdir=" DN_SCRATCH ",workdir=" DN_SCRATCH;
  int seen;

  (void) mkdir (TARGET, 0700);
  seen = dn_seen (mount ("none", TARGET, aim->path, 0, aim->a != 0 ? overlay : NULL));
  if (seen == 0)
    (void) umount2 (TARGET, MNT_DETACH);
  (void) rmdir (TARGET);
  return seen;
}

static int
mount_bind (const DnAim *aim)
{
  int seen;

  (void) mkdir (TARGET, 0700);
  seen = dn_seen (mount (aim->path, TARGET, NULL, MS_BIND | MS_REC, NULL));
  if (seen == 0)
    (void) umount2 (TARGET, MNT_DETACH);
  (void) rmdir (TARGET);
  return seen;
}

/* Takes the protection from a mount, and puts it back. */
static int
remount_writable (const DnAim *aim)
{
  int seen = dn_seen (mount (NULL, aim->path, NULL, MS_REMOUNT | MS_BIND, NULL));

  if (seen == 0)
    (void) mount (NULL, aim->path, NULL, MS_REMOUNT | MS_BIND | (unsigned long) aim->a, NULL);
  return seen;
}

static int
propagate (const DnAim *aim)
{
  return dn_seen (mount (NULL, aim->path, NULL, (unsigned long) aim->a, NULL));
}

/* MNT_EXPIRE: the first call only marks, EAGAIN, so that nothing is lost where it is permitted. */
static int
unmount (const DnAim *aim)
{
  int seen = dn_seen (umount2 (aim->path, MNT_EXPIRE));

  return seen == EAGAIN || seen == EBUSY ? 0 : seen;
}

static int
open_context (const DnAim *aim)
{
  int fd = (int) syscall (SYS_fsopen, aim->path, 0);
  int seen = dn_seen (fd);

  if (fd >= 0)
    (void) close (fd);
  return seen;
}

static int
clone_tree (const DnAim *aim)
{
  int fd = (int) syscall (SYS_open_tree, AT_FDCWD, aim->path, OPEN_TREE_CLONE);
  int seen = dn_seen (fd);

  if (fd >= 0)
    (void) close (fd);
  return seen;
}

static int
set_attributes (const DnAim *aim)
{
  struct
  {
    uint64_t set, clear, propagation, userns;
  } attributes = { .clear = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
  int seen = dn_seen (
      syscall (SYS_mount_setattr, AT_FDCWD, aim->path, 0, &attributes, sizeof attributes));

  if (seen == 0)
    {
      attributes.set = attributes.clear;
      attributes.clear = 0;
      (void) syscall (SYS_mount_setattr, AT_FDCWD, aim->path, 0, &attributes, sizeof attributes);
    }
  return seen;
}

/* To the place where one is: no way out, and no harm. */
static int
change_root (const DnAim *aim)
{
  return dn_seen (chroot (aim->path));
}

static int
pivot_root (const DnAim *aim)
{
  return dn_seen (syscall (SYS_pivot_root, aim->path, aim->path));
}

static const DnProbe probes[] = {
  { "mounts.tmpfs",
    "mounting a file system without a device",
    "R3.6",
    "EPERM",
    NULL,
    mount_type,
    { .path = "tmpfs" } },
  { "mounts.proc",
    "a fresh procfs without masks (CVE-2025-31133's aim)",
    "R2.2",
    "EPERM",
    NULL,
    mount_type,
    { .path = "proc" } },
  { "mounts.sysfs",
    "a fresh sysfs, writable",
    "R2.2",
    "EPERM",
    NULL,
    mount_type,
    { .path = "sysfs" } },
  { "mounts.devtmpfs",
    "devtmpfs: all device nodes of the kernel",
    "R2.2",
    "EPERM",
    NULL,
    mount_type,
    { .path = "devtmpfs" } },
  { "mounts.debugfs",
    "debugfs: tracing and drivers' internals",
    "R2.2",
    "EPERM",
    NULL,
    mount_type,
    { .path = "debugfs" } },
  { "mounts.cgroup1",
    "cgroup v1 for its release_agent (CVE-2022-0492)",
    "R2.2",
    "EPERM",
    NULL,
    mount_type,
    { .path = "cgroup" } },
  { "mounts.cgroup2",
    "cgroup v2 anew, without the namespace's root",
    "R2.2",
    "EPERM",
    NULL,
    mount_type,
    { .path = "cgroup2" } },
  { "mounts.overlay",
    "overlayfs: copying up capabilities (CVE-2021-3493, CVE-2023-0386)",
    "R3.4",
    "EPERM",
    NULL,
    mount_type,
    { .path = "overlay", .a = 1 } },
  { "mounts.fuse",
    "FUSE: file contents that wait for the attacker",
    "R3.6",
    "EPERM",
    NULL,
    mount_type,
    { .path = "fuse" } },
  { "mounts.binfmt",
    "binfmt_misc: an interpreter for others' programs",
    "R2.2",
    "EPERM",
    NULL,
    mount_type,
    { .path = "binfmt_misc" } },
  { "mounts.bind",
    "a bind mount of / elsewhere",
    "R3.6",
    "EPERM",
    NULL,
    mount_bind,
    { .path = "/" } },
  { "mounts.bind-proc",
    "a bind mount beside a mask",
    "R2.2",
    "EPERM",
    NULL,
    mount_bind,
    { .path = "/proc/self" } },
  { "mounts.remount-root",
    "/ writable and with set-id programs",
    "R4.3",
    "EPERM",
    NULL,
    remount_writable,
    { .path = "/", .a = MS_RDONLY | MS_NOSUID | MS_NODEV } },
  { "mounts.remount-sys",
    "/proc/sys writable",
    "R2.2",
    "EPERM",
    NULL,
    remount_writable,
    { .path = "/proc/sys", .a = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC } },
  { "mounts.remount-tmp",
    "programs in /tmp",
    "R5.15",
    "EPERM",
    NULL,
    remount_writable,
    { .path = DN_SCRATCH, .a = MS_NOEXEC | MS_NOSUID | MS_NODEV } },
  { "mounts.shared",
    "propagation to where the mount came from",
    "R3.6",
    "EPERM",
    NULL,
    propagate,
    { .path = "/", .a = MS_SHARED | MS_REC } },
  { "mounts.unmask",
    "unmounting what hides /proc/kcore",
    "R2.2",
    "EPERM",
    NULL,
    unmount,
    { .path = "/proc/kcore" } },
  { "mounts.unmount-sys",
    "unmounting what protects /proc/sys",
    "R2.2",
    "EPERM",
    NULL,
    unmount,
    { .path = "/proc/sys" } },
  { "mounts.fsopen",
    "fsopen: contexts of file systems (CVE-2022-0185)",
    "R3.6",
    "EPERM",
    NULL,
    open_context,
    { .path = "tmpfs" } },
  { "mounts.open-tree",
    "open_tree(OPEN_TREE_CLONE)",
    "R3.6",
    "EPERM",
    NULL,
    clone_tree,
    { .path = "/" } },
  { "mounts.move-mount",
    "move_mount",
    "R3.6",
    "EPERM",
    NULL,
    dn_attempt_call,
    { .a = SYS_move_mount, .b = -1 } },
  { "mounts.setattr",
    "mount_setattr: nosuid and nodev taken from /",
    "R3.4",
    "EPERM",
    NULL,
    set_attributes,
    { .path = "/" } },
  { "mounts.chroot",
    "chroot: the classic way out with an open directory",
    "R3.6",
    "EPERM",
    NULL,
    change_root,
    { .path = "/" } },
  { "mounts.pivot-root", "pivot_root", "R3.6", "EPERM", NULL, pivot_root, { .path = "/" } },
  { "mounts.swapon",
    "swapon: the guest's memory into a file",
    "R3.6",
    "EPERM",
    NULL,
    dn_attempt_call,
    { .a = SYS_swapon } },
  { "mounts.quotactl",
    "quotactl",
    "R3.6",
    "EPERM",
    NULL,
    dn_attempt_call,
    { .a = SYS_quotactl, .b = -1 } },
};

DN_FAMILY (dn_mounts, probes);
