/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../protocol/protocol.h"
#include "autofd.h"

static int
open_resolved (int root, const char *path, int flags, mode_t mode, uint64_t resolve)
{
  struct open_how how = { .flags = (unsigned) (flags | O_CLOEXEC),
                          .mode = mode,
                          .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve };
  long fd;
  int tries = 100;

  /* EAGAIN: something was renamed meanwhile and the kernel cannot be sure; a container may do so
   * as often as it likes, hence the bound. */
  do
    fd = syscall (SYS_openat2, root, path, &how, sizeof how);
  while (fd < 0 && errno == EAGAIN && --tries > 0);
  return fd < 0 ? -errno : (int) fd;
}

int
dn_path_open (int root, const char *path, int flags, mode_t mode)
{
  return open_resolved (root, path, flags, mode, 0);
}

int
dn_path_open_plain (int root, const char *path)
{
  return open_resolved (root, path, O_PATH, 0, RESOLVE_NO_SYMLINKS);
}

bool
dn_path_exists (int root, const char *path)
{
  dn_autofd int fd = dn_path_open (root, path, O_PATH, 0);

  return fd >= 0;
}

/* Goes one component down, making it where it is missing.  No link is followed here: what exists
 * was opened by dn_path_open() before. */
static int
make_component (int parent, const char *name, bool is_directory)
{
  int fd;

  if (is_directory)
    {
      if (mkdirat (parent, name, 0755) < 0 && errno != EEXIST)
        return -errno;
    }
  else
    {
      fd = openat (parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
      if (fd < 0)
        return -errno;
      (void) close (fd);
    }
  fd = openat (parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int
dn_path_make (int root, const char *path, bool is_directory)
{
  char copy[DN_PATH_BYTES + 1];
  dn_autofd int parent = -1;
  char *name = copy;
  int fd = dn_path_open (root, path, O_PATH, 0);

  if (fd != -ENOENT)
    return fd;
  if (strlen (path) > DN_PATH_BYTES || strstr (path, "..") != NULL)
    return -ENOENT;
  strcpy (copy, path);
  parent = dn_path_open (root, "/", O_PATH, 0);
  while (parent >= 0)
    {
      char *end;
      char kept;
      bool is_last;

      name += strspn (name, "/");
      end = name + strcspn (name, "/");
      is_last = end[strspn (end, "/")] == '\0';
      kept = *end;
      *end = '\0';
      /* The whole prefix from the root, since a component may be a link within it. */
      fd = dn_path_open (root, copy, O_PATH, 0);
      if (fd == -ENOENT)
        fd = make_component (parent, name, !is_last || is_directory);
      if (fd < 0 || is_last)
        return fd;
      dn_fd_clear (&parent);
      parent = fd;
      *end = kept;
      name = end;
    }
  return parent;
}
