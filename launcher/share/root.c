/* SPDX-License-Identifier: Apache-2.0 */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/share-order.h"

/* Where the root is put together: any directory that every host has.  What is mounted over it in
 * this namespace is seen by nobody else. */
#define BASE "/run"
#define SAFE (MS_NOSUID | MS_NODEV)

static const char *const programs[] = { "/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd" };

/* What programs are loaded from; left out where the host has not got one.  On hosts whose /lib is a
 * link, it is one here, too. */
static const char *const sources[] = { "/usr/lib", "/usr/lib64", "/lib", "/lib64" };

#define LOADER_CACHE "/etc/ld.so.cache"

const char *
dn_share_find_program (void)
{
  for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
    if (access (programs[i], X_OK) == 0)
      return programs[i];
  return NULL;
}

static int
bind_readonly (const char *from, const char *to)
{
  if (mount (from, to, NULL, MS_BIND, NULL) < 0
      || mount (NULL, to, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | SAFE, NULL) < 0)
    return -errno;
  return 0;
}

static int
bind_directory (const char *path)
{
  char link[PATH_MAX], to[PATH_MAX];
  ssize_t n = readlink (path, link, sizeof link - 1);

  (void) snprintf (to, sizeof to, BASE "%s", path);
  if (n > 0)
    {
      link[n] = '\0';
      return symlink (link, to) < 0 ? -errno : 0;
    }
  if (access (path, F_OK) < 0)
    return 0;
  return mkdir (to, 0755) < 0 ? -errno : bind_readonly (path, to);
}

static int
bind_file_as (const char *path, const char *name)
{
  char to[PATH_MAX];
  int made;

  (void) snprintf (to, sizeof to, BASE "%s", name);
  made = open (to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
  if (made < 0)
    return -errno;
  (void) close (made);
  return bind_readonly (path, to);
}

static int
bind_file (const char *path)
{
  return bind_file_as (path, path);
}

/* From beside this program, installed or in a build tree. */
static int
bind_preload (void)
{
  char path[PATH_MAX];
  ssize_t n = readlink ("/proc/self/exe", path, sizeof path - sizeof DN_SHARE_PRELOAD);
  char *name;

  if (n < 0)
    return -errno;
  path[n] = '\0';
  name = strrchr (path, '/');
  if (name == NULL)
    return -ENOENT;
  (void) memcpy (name, DN_SHARE_PRELOAD, sizeof DN_SHARE_PRELOAD);
  return bind_file_as (path, DN_SHARE_PRELOAD);
}

static int
bind_all (const char *program)
{
  int r = 0;

  for (size_t i = 0; i < sizeof sources / sizeof sources[0] && r == 0; i++)
    r = bind_directory (sources[i]);
  if (r == 0 && access (LOADER_CACHE, F_OK) == 0)
    r = mkdir (BASE "/etc", 0755) < 0 ? -errno : bind_file (LOADER_CACHE);
  if (r == 0 && strncmp (program, "/usr/lib/", 9) != 0)
    r = mkdir (BASE "/usr/libexec", 0755) < 0 ? -errno : bind_file (program);
  return r;
}

static int
mount_own (void)
{
  char options[96];

  /* A name is an inode; no file has bytes, and its size is not asked for. */
  (void) snprintf (options, sizeof options, "size=4k,nr_inodes=%d,mode=0755", DN_SHARE_NUMBERS + 8);
  if (mkdir (BASE "/proc", 0555) < 0 || mkdir (BASE "/share", 0755) < 0
      || mount ("proc", BASE "/proc", "proc", SAFE | MS_NOEXEC, NULL) < 0
      || mount ("danchi-share", BASE "/share", "tmpfs", SAFE | MS_NOEXEC, options) < 0)
    return -errno;
  return 0;
}

int
dn_share_root_enter (const char *program, bool has_preload, const char **ret_step)
{
  int r;

  *ret_step = "private mounts";
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return -errno;
  *ret_step = "root";
  if (mount ("danchi-jail", BASE, "tmpfs", SAFE, "size=64k,nr_inodes=64,mode=0755") < 0
      || mkdir (BASE "/usr", 0755) < 0)
    return -errno;
  *ret_step = "libraries";
  if ((r = bind_all (program)) < 0)
    return r;
  *ret_step = "danchi-share-pod.so";
  if (has_preload && (r = bind_preload ()) < 0)
    return r;
  *ret_step = "share";
  if ((r = mount_own ()) < 0)
    return r;
  *ret_step = "change of root";
  if (chdir (BASE) < 0
      || mount (NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | SAFE, NULL) < 0)
    return -errno;
  /* pivot_root(2), "pivot_root(".", ".")": the old root ends up over the new one and is let go. */
  if (syscall (SYS_pivot_root, ".", ".") < 0 || umount2 (".", MNT_DETACH) < 0 || chdir ("/") < 0)
    return -errno;
  return 0;
}

void
dn_share_root_strip (void)
{
  /* The program has its libraries mapped, and holds its descriptors' directory open. */
  for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
    (void) umount2 (sources[i], MNT_DETACH | UMOUNT_NOFOLLOW);
  for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
    (void) umount2 (programs[i], MNT_DETACH | UMOUNT_NOFOLLOW);
  (void) umount2 (DN_SHARE_PRELOAD, MNT_DETACH | UMOUNT_NOFOLLOW);
  (void) umount2 (LOADER_CACHE, MNT_DETACH | UMOUNT_NOFOLLOW);
  (void) umount2 ("/proc", MNT_DETACH | UMOUNT_NOFOLLOW);
}
