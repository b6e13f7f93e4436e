/* SPDX-License-Identifier: Apache-2.0 */
/* The jail's root: a tmpfs with bind mounts, read-only but for two places. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"

/* Where the root is put together: any directory that every host has.  What is mounted over it in
 * this namespace is seen by nobody else. */
#define BASE "/run"

#define SAFE (MS_NOSUID | MS_NODEV)

typedef struct
{
  const char *path; /* there and here */
  bool for_network; /* only where the task has one */
} Source;

/* Left out where the host has not got one. */
static const Source sources[] = {
  /* What programs are loaded from; the loader's cache. */
  { "/usr/lib", false },
  { "/usr/lib64", false },
  { "/etc/ld.so.cache", false },
  /* Names of hosts. */
  { "/etc/hosts", true },
  { "/etc/nsswitch.conf", true },
  { "/etc/host.conf", true },
  { "/etc/gai.conf", true },
  { "/etc/services", true },
  /* Whom to believe in TLS: the bundles, and what Debian's links in them point to. */
  { "/etc/ssl/certs", true },
  { "/etc/pki/tls/certs", true },
  { "/etc/pki/ca-trust/extracted", true },
  { "/usr/share/ca-certificates", true },
  { "/usr/local/share/ca-certificates", true },
  /* Settings of registries besides /etc/containers. */
  { "/usr/share/containers", true },
  { "/etc/docker/certs.d", true },
};

/* Makes all directories above @path below BASE. */
static int
make_parents (const char *path)
{
  char text[PATH_MAX];

  for (const char *slash = strchr (path + 1, '/'); slash != NULL; slash = strchr (slash + 1, '/'))
    {
      (void) snprintf (text, sizeof text, BASE "%.*s", (int) (slash - path), path);
      if (mkdir (text, 0755) < 0 && errno != EEXIST)
        return -errno;
    }
  return 0;
}

/* Binds the open file or directory @fd, which is of this mount namespace, at @path below BASE. */
static int
bind (int fd, const char *path, unsigned long flags)
{
  char from[64], to[PATH_MAX];
  struct stat status;
  int r = make_parents (path);

  (void) snprintf (from, sizeof from, "/proc/self/fd/%d", fd);
  (void) snprintf (to, sizeof to, BASE "%s", path);
  if (r < 0)
    return r;
  if (fstat (fd, &status) < 0)
    return -errno;
  if (S_ISDIR (status.st_mode))
    r = mkdir (to, 0755) < 0 && errno != EEXIST ? -errno : 0;
  else
    {
      int made = open (to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);

      r = made < 0 ? -errno : close (made);
    }
  if (r < 0)
    return r;
  if (mount (from, to, NULL, MS_BIND, NULL) < 0
      || mount (NULL, to, NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0)
    return -errno;
  return 0;
}

/* Binds what is at @from; nothing there is no error. */
static int
bind_path (const char *from, const char *path, unsigned long flags)
{
  int fd = open (from, O_PATH | O_CLOEXEC), r;

  if (fd < 0)
    return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
  r = bind (fd, path, flags);
  (void) close (fd);
  return r;
}

/* /lib and /lib64 are links into /usr, or directories of their own on older hosts. */
static int
bind_library_path (const char *path)
{
  char link[PATH_MAX], to[PATH_MAX];
  ssize_t n = readlink (path, link, sizeof link - 1);

  if (n < 0)
    return bind_path (path, path, MS_RDONLY | SAFE);
  link[n] = '\0';
  (void) snprintf (to, sizeof to, BASE "%s", path);
  return symlink (link, to) < 0 ? -errno : 0;
}

/* What is named by a path that the new root's mount may hide: opened before that, in this
 * namespace. */
typedef struct
{
  int staging;
  int containers; /* -1: none, as is the next */
  int resolver;   /* often a link into /run */
} Opened;

/* The staging directory is found again by its path in this namespace: a descriptor from another one
 * cannot be bound.  It has to be the same directory. */
static int
open_staging (const DnJail *jail, int *ret_fd)
{
  char link[64], path[PATH_MAX];
  struct stat given, found;
  ssize_t n;

  (void) snprintf (link, sizeof link, "/proc/self/fd/%d", jail->staging_fd);
  n = readlink (link, path, sizeof path - 1);
  if (n < 0)
    return -errno;
  path[n] = '\0';
  *ret_fd = open (path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (*ret_fd < 0 || fstat (*ret_fd, &found) < 0 || fstat (jail->staging_fd, &given) < 0)
    return -errno;
  return given.st_dev != found.st_dev || given.st_ino != found.st_ino || found.st_uid != jail->uid
             ? -EXDEV
             : 0;
}

static int
open_all (const DnJail *jail, Opened *ret_opened)
{
  Opened opened = { -1, -1, -1 };
  int r = open_staging (jail, &opened.staging);

  if (jail->has_network && jail->containers != NULL)
    opened.containers = open (jail->containers, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (jail->has_network)
    opened.resolver = open ("/etc/resolv.conf", O_PATH | O_CLOEXEC);
  /* All of these end with the jail's entry, being close-on-exec, or with this process. */
  *ret_opened = opened;
  return r;
}

static void
close_all (const Opened *opened)
{
  const int fds[] = { opened->staging, opened->containers, opened->resolver };

  for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
    if (fds[i] >= 0)
      (void) close (fds[i]);
}

static int
bind_all (const DnJail *jail, const Opened *opened)
{
  char path[PATH_MAX];
  int r = 0;

  for (size_t i = 0; r == 0 && i < sizeof sources / sizeof sources[0]; i++)
    if (jail->has_network || !sources[i].for_network)
      r = bind_path (sources[i].path, sources[i].path, MS_RDONLY | SAFE);
  for (size_t i = 0; r == 0 && jail->programs[i] != NULL; i++)
    {
      (void) snprintf (path, sizeof path, "/usr/bin/%s", jail->programs[i]);
      r = bind_path (path, path, MS_RDONLY | SAFE);
    }
  if (r == 0)
    r = bind_library_path ("/lib");
  if (r == 0)
    r = bind_library_path ("/lib64");
  if (r == 0 && opened->containers >= 0)
    r = bind (opened->containers, "/etc/containers", MS_RDONLY | SAFE);
  if (r == 0 && opened->resolver >= 0)
    r = bind (opened->resolver, "/etc/resolv.conf", MS_RDONLY | SAFE);
  /* Devices that give nothing away; MS_NODEV would close them. */
  if (r == 0)
    r = bind_path ("/dev/null", "/dev/null", MS_NOSUID | MS_NOEXEC);
  if (r == 0)
    r = bind_path ("/dev/urandom", "/dev/urandom", MS_RDONLY | MS_NOSUID | MS_NOEXEC);
  return r < 0 ? r : bind (opened->staging, DN_JAIL_STAGING, SAFE | MS_NOEXEC);
}

static int
mount_private (const DnJail *jail)
{
  char options[128];

  (void) snprintf (options, sizeof options, "size=512k,nr_inodes=64,mode=0700,uid=%u,gid=%u",
                   jail->uid, jail->gid);
  if (mkdir (BASE DN_JAIL_PRIVATE, 0755) < 0
      || mount ("danchi-private", BASE DN_JAIL_PRIVATE, "tmpfs", SAFE | MS_NOEXEC, options) < 0)
    return -errno;
  return 0;
}

int
dn_jail_enter_root (const DnJail *jail)
{
  Opened opened;
  int r;

  /* Private first: nothing mounted below may spread to the host. */
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return -errno;
  r = open_all (jail, &opened);
  if (r == 0 && mount ("danchi-jail", BASE, "tmpfs", SAFE, "size=64k,nr_inodes=256,mode=0755") < 0)
    r = -errno;
  if (r == 0)
    r = bind_all (jail, &opened);
  close_all (&opened);
  if (r == 0)
    r = mount_private (jail);
  if (r < 0)
    return r;
  if (chdir (BASE) < 0
      || mount (NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | SAFE, NULL) < 0)
    return -errno;
  /* pivot_root(2), "pivot_root(".", ".")": the old root ends up over the new one and is let go. */
  if (syscall (SYS_pivot_root, ".", ".") < 0 || umount2 (".", MNT_DETACH) < 0
      || chdir (DN_JAIL_STAGING) < 0)
    return -errno;
  return 0;
}
