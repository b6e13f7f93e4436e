/* SPDX-License-Identifier: Apache-2.0 */
#include "fill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autofd.h"

static int fill (int from, int to, unsigned depth);

/* Owner, mode, time: after the content, since writing changes the last. */
static int
finish (int to, const struct stat *status)
{
  const struct timespec times[2] = { status->st_atim, status->st_mtim };

  if (fchown (to, status->st_uid, status->st_gid) < 0 && (errno != EINVAL || fchown (to, 0, 0) < 0))
    return -errno;
  if (fchmod (to, status->st_mode & 01777) < 0 || futimens (to, times) < 0)
    return -errno;
  return 0;
}

static int
copy_file (int from, int to, const char *name, const struct stat *status)
{
  dn_autofd int in = openat (from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  dn_autofd int out = -1;
  ssize_t n;

  if (in < 0)
    return -errno;
  out = openat (to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (out < 0)
    return -errno;
  while ((n = sendfile (out, in, NULL, 1 << 20)) > 0)
    ;
  return n < 0 ? -errno : finish (out, status);
}

static int
copy_link (int from, int to, const char *name, const struct stat *status)
{
  char target[PATH_MAX];
  ssize_t n = readlinkat (from, name, target, sizeof target);

  if (n < 0)
    return -errno;
  if ((size_t) n == sizeof target)
    return -ENAMETOOLONG;
  target[n] = '\0';
  if (symlinkat (target, to, name) < 0)
    return -errno;
  if (fchownat (to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0
      && (errno != EINVAL || fchownat (to, name, 0, 0, AT_SYMLINK_NOFOLLOW) < 0))
    return -errno;
  return 0;
}

static int
copy_directory (int from, int to, const char *name, unsigned depth)
{
  dn_autofd int in = openat (from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  dn_autofd int out = -1;

  if (in < 0 || mkdirat (to, name, 0700) < 0)
    return -errno;
  out = openat (to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return out < 0 ? -errno : fill (in, out, depth + 1);
}

static int
copy_entry (int from, int to, const char *name, unsigned depth)
{
  struct stat status;

  if (fstatat (from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return -errno;
  if (S_ISREG (status.st_mode))
    return copy_file (from, to, name, &status);
  if (S_ISLNK (status.st_mode))
    return copy_link (from, to, name, &status);
  return S_ISDIR (status.st_mode) ? copy_directory (from, to, name, depth) : 0;
}

static int
fill (int from, int to, unsigned depth)
{
  int fd = openat (from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = fd < 0 ? NULL : fdopendir (fd);
  struct dirent *entry;
  struct stat status;
  int r = depth > DN_FILL_DEPTH_MAX ? -ELOOP : 0;

  if (directory == NULL || fstat (fd, &status) < 0)
    {
      r = -errno;
      if (directory == NULL)
        dn_fd_clear (&fd);
      else
        (void) closedir (directory);
      return r;
    }
  while (r == 0 && (entry = readdir (directory)) != NULL)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      {
        r = copy_entry (dirfd (directory), to, entry->d_name, depth);
        r = r == -EACCES ? 0 : r;
      }
  (void) closedir (directory);
  return r < 0 ? r : finish (to, &status);
}

int
dn_fill (int from, int to)
{
  dn_autofd int top = openat (to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  return top < 0 ? -errno : fill (from, top, 0);
}
