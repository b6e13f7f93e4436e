/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"

/* @map_fd: -1: its ids are as they are. */
static int
set_attributes (int tree, const DnShareSource *source, int map_fd)
{
  struct mount_attr attr
      = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSYMFOLLOW
                      | (source->is_executable ? 0 : MOUNT_ATTR_NOEXEC)
                      | (source->is_writable ? 0 : MOUNT_ATTR_RDONLY),
          .propagation = 1 << 18 /* MS_PRIVATE */ };

  if (map_fd >= 0)
    {
      attr.attr_set |= MOUNT_ATTR_IDMAP;
      attr.userns_fd = (unsigned) map_fd;
    }
  return syscall (SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0 ? -errno : 0;
}

int
dn_share_tree_restrict (int tree, const DnShareSource *source)
{
  return set_attributes (tree, source, -1);
}

int
dn_share_tree_make (int source_fd, const DnShareSource *source, int map_fd, DnShareAnswer *answer)
{
  int tree, r;

  if (map_fd < 0)
    {
      dn_share_refuse (answer, -map_fd, "its id map: %s", strerror (-map_fd));
      return -1;
    }
  tree = (int) syscall (SYS_open_tree, source_fd, "",
                        AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  r = tree < 0 ? -errno : set_attributes (tree, source, map_fd);
  (void) close (map_fd);
  if (r == 0)
    return tree;
  if (tree >= 0)
    (void) close (tree);
  if (r == -EINVAL && tree >= 0)
    dn_share_refuse (answer, EOPNOTSUPP,
                     "the host's kernel cannot translate owners on its file system\n"
                     "put it on ext4, xfs, btrfs or f2fs");
  else
    dn_share_refuse (answer, -r, "its mount: %s", strerror (-r));
  return -1;
}
