/* SPDX-License-Identifier: Apache-2.0 */
#include "mounts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"
#include "poweroff.h"

#define NEW_ROOT "/root"

typedef struct
{
  const char *type;
  const char *target;
  unsigned long flags;
  const char *data;
} Mount;

static const Mount kernel_mounts[] = {
  { "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
  { "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
  { "devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k,nr_inodes=4096" },
};

/* /run holds mount points and the agent's small files, /tmp what programs keep aside; both are
 * the guest root's alone: containers have tmpfs of their own, counted to their memory. */
static const Mount system_mounts[] = {
  { "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0600" },
  { "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=1m,nr_inodes=256" },
  { "tmpfs", "/run", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=16m,nr_inodes=16k" },
  { "tmpfs", "/tmp", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=25%,nr_inodes=16k" },
  { "cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate" },
};

static void
mount_all (const Mount *mounts, size_t count)
{
  for (const Mount *m = mounts; m < mounts + count; m++)
    {
      char what[64];

      if (mount (m->type, m->target, m->type, m->flags, m->data) == 0)
        continue;
      /* The same file system is there already: only its flags may differ. */
      if (errno == EBUSY
          && mount (NULL, m->target, NULL, MS_REMOUNT | MS_BIND | m->flags, NULL) == 0)
        continue;
      (void) snprintf (what, sizeof what, "mount '%s'", m->target);
      dn_poweroff_failed (what, errno);
    }
}

void
dn_mounts_make_kernel (void)
{
  mount_all (kernel_mounts, sizeof kernel_mounts / sizeof kernel_mounts[0]);
}

void
dn_mounts_make_system (void)
{
  /* A kernel that mounts the root itself (root=) does not know these flags. */
  if (mount (NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
    dn_poweroff_failed ("protect '/'", errno);
  /* devtmpfs begins empty of directories. */
  if ((mkdir ("/dev/pts", 0755) < 0 && errno != EEXIST)
      || (mkdir ("/dev/shm", 0755) < 0 && errno != EEXIST))
    dn_poweroff_failed ("make directories in '/dev'", errno);
  mount_all (system_mounts, sizeof system_mounts / sizeof system_mounts[0]);
}

static void
mount_root (const char *device)
{
  char what[64];

  if (mount (device, NEW_ROOT, "erofs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) == 0)
    return;
  (void) snprintf (what, sizeof what, "mount root '%s'", device);
  dn_poweroff_failed (what, errno);
}

void
dn_mounts_switch_root (const char *device)
{
  mount_root (device);
  for (size_t i = 0; i < sizeof kernel_mounts / sizeof kernel_mounts[0]; i++)
    {
      char target[32];

      (void) snprintf (target, sizeof target, NEW_ROOT "%s", kernel_mounts[i].target);
      if (mount (kernel_mounts[i].target, target, NULL, MS_MOVE, NULL) < 0)
        dn_poweroff_failed ("move the kernel's file systems into the root", errno);
    }

  /* The initramfs cannot be unmounted.  It holds nothing any more but this program: free that. */
  (void) unlink ("/init");
  if (chdir (NEW_ROOT) < 0 || mount (".", "/", NULL, MS_MOVE, NULL) < 0 || chroot (".") < 0
      || chdir ("/") < 0)
    dn_poweroff_failed ("switch root", errno);
}
