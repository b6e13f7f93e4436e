/* SPDX-License-Identifier: Apache-2.0 */
/* The container's mounts, made by the container's own root in its own mount namespace: what goes
 * wrong here goes wrong with its rights, not with the guest's.
 *
 * Only descriptors are mounted on descriptors: move_mount(2) with two empty paths.  Source:
 * mount_setattr(2), the kernel's Documentation/filesystems/mount_api.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "autofd.h"
#include "child-mounts.h"
#include "child.h"
#include "fill.h"
#include "path.h"

int
dn_child_move_mount (int mount_fd, int target)
{
  return move_mount (mount_fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int
dn_child_new_mount (const char *type, const char *const *options, size_t count,
                    unsigned long attributes)
{
  dn_autofd int fs = fsopen (type, FSOPEN_CLOEXEC);

  if (fs < 0)
    return -1;
  (void) fsconfig (fs, FSCONFIG_SET_STRING, "source", type, 0);
  for (size_t i = 0; i < count; i++)
    {
      char key[64];
      const char *equals = strchr (options[i], '=');
      int r;

      (void) snprintf (key, sizeof key, "%.*s", (int) strcspn (options[i], "="), options[i]);
      r = equals != NULL ? fsconfig (fs, FSCONFIG_SET_STRING, key, equals + 1, 0)
                         : fsconfig (fs, FSCONFIG_SET_FLAG, key, NULL, 0);
      if (r < 0)
        return -1;
    }
  if (fsconfig (fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
    return -1;
  return fsmount (fs, FSMOUNT_CLOEXEC, (unsigned) attributes);
}

int
dn_child_bind (int from, const char *path, int target, unsigned long attributes)
{
  struct mount_attr attr = { .attr_set = attributes };
  dn_autofd int copy = open_tree (
      from, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (unsigned) AT_RECURSIVE);

  if (copy < 0 || mount_setattr (copy, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0)
    return -1;
  return dn_child_move_mount (copy, target);
}

int
dn_child_attach_root (DnChild *child, DnFault *fault)
{
  char path[DN_PATH_BYTES + 1];

  (void) fault;
  /* Nothing that happens here is seen outside, nor the other way round. */
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return -1;
  (void) snprintf (path, sizeof path, "%s/root", child->plan->run_dir);
  if (move_mount (child->root_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return -1;
  dn_fd_clear (&child->root_fd);
  child->root_fd = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return child->root_fd < 0 ? -1 : 0;
}

static bool
is_share (const DnConfigMount *mount)
{
  return strcmp (mount->type, DN_CONFIG_MOUNT_SHARE) == 0;
}

/* The kernel's own file systems and /dev are where everybody, the masks below among them, looks for
 * them: an image whose /proc is a link would have them elsewhere, unmasked.  Elsewhere a link of
 * the image's is followed, within its root. */
static bool
must_be_plain (const DnConfigMount *mount)
{
  return (strcmp (mount->type, "tmpfs") != 0 && !is_share (mount))
         || strncmp (mount->target, "/dev", 4) == 0;
}

/* A volume that is on a disk takes its place with this content at once: so it is there, to stay,
 * before anybody is told.  Read-only it becomes when it is full. */
static int
fill (const DnConfigMount *mount, int target, int made, DnFault *fault)
{
  struct mount_attr attr = { .attr_set = mount->attributes & MOUNT_ATTR_RDONLY };
  const bool is_on_disk = mount->volume != NULL;
  dn_autofd int top = -1;
  int r = dn_fill (target, made);

  if (r == -ENOSPC)
    return dn_fault_set (fault, r, "volume '%s': what the image has there is larger than %s",
                         mount->target,
                         is_on_disk ? "the volume is; make a larger one, or say nocopy"
                                    : "a volume in memory may be; use --writable=disk");
  if (r == 0 && is_on_disk)
    {
      top = openat (made, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      r = top < 0 || syncfs (top) < 0
                  || mount_setattr (made, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0
              ? -errno
              : 0;
    }
  return r == 0 ? 0
                : dn_fault_set (fault, r == -ENOENT ? -EIO : r,
                                "volume '%s': copy what the image has there: %s", mount->target,
                                strerror (-r));
}

/* @given: a mount that the agent has made, or -1; it is closed. */
static int
mount_one (int root, const DnConfigMount *mount, int given, DnFault *fault)
{
  dn_autofd int plain = must_be_plain (mount) ? dn_path_open_plain (root, mount->target) : -1;
  dn_autofd int target
      = plain == -ELOOP ? -ELOOP : dn_path_make (root, mount->target, !mount->is_file);
  dn_autofd int made = -1;
  struct stat status;
  int r;

  if (target == -EROFS || target == -ENOENT)
    return dn_fault_set (fault, -EIO,
                         "mount '%s': the directory is not in the image, and its root is read-only",
                         mount->target);
  if (target == -ELOOP)
    return dn_fault_set (fault, -EIO, "mount '%s': the image has a symbolic link there",
                         mount->target);
  if (target < 0)
    {
      errno = -target;
      return dn_fault_set_errno (fault, "mount '%s'", mount->target);
    }
  if (fstat (target, &status) < 0 || S_ISDIR (status.st_mode) == mount->is_file)
    return dn_fault_set (fault, -EIO, "mount '%s': is %s directory in the image", mount->target,
                         mount->is_file ? "a" : "not a");
  /* What comes there comes later: share.h. */
  if (is_share (mount))
    return 0;
  /* What is on a disk is the agent's to open: a user namespace's root cannot.  What it writes to,
   * too. */
  made = given >= 0 ? dn_fd_steal (&given)
                    : dn_child_new_mount (mount->type, (const char *const *) mount->options,
                                          mount->option_count, mount->attributes);
  if (made < 0)
    return dn_fault_set_errno (fault, "mount '%s' (%s)", mount->target, mount->type);
  if (mount->is_filled && (r = fill (mount, target, made, fault)) < 0)
    return r;
  if (dn_child_move_mount (made, target) < 0)
    return dn_fault_set_errno (fault, "mount '%s' (%s)", mount->target, mount->type);
  return 0;
}

static bool
is_dev (const char *target)
{
  return strcmp (target, "/dev") == 0 || strcmp (target, "/dev/") == 0;
}

/* /dev comes first: other mounts lie in it, and an image's own /dev is never used. */
static int
mount_dev (DnChild *child, DnFault *fault)
{
  const DnConfig *config = child->plan->config;
  DnConfigMount dev = { .target = "/dev",
                        .type = "tmpfs",
                        .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                        .options = { (char *) "mode=755", (char *) "size=65536" },
                        .option_count = 2 };
  int r;

  for (size_t i = 0; i < config->mount_count; i++)
    if (is_dev (config->mounts[i].target) && strcmp (config->mounts[i].type, "tmpfs") == 0)
      dev = config->mounts[i];
  dev.attributes &= ~(unsigned long) MOUNT_ATTR_RDONLY; /* it must be filled first */
  r = mount_one (child->root_fd, &dev, -1, fault);
  return r < 0 ? r : dn_child_fill_dev (child->root_fd, fault);
}

int
dn_child_mount_all (DnChild *child, DnFault *fault)
{
  const DnConfig *config = child->plan->config;
  int r = mount_dev (child, fault);
  size_t trees = 0;

  for (size_t i = 0; i < config->mount_count && r == 0; i++)
    {
      const DnConfigMount *mount = &config->mounts[i];
      int given = -1;

      if (dn_config_mount_has_tree (mount))
        given = dn_fd_steal (&child->tree_fds[trees++]);
      else if (mount == config->secrets)
        given = dn_fd_steal (&child->secrets_fd);
      if (!is_dev (mount->target))
        r = mount_one (child->root_fd, mount, given, fault);
      else
        dn_fd_clear (&given);
    }
  return r;
}

int
dn_child_place_cwd (DnChild *child, DnFault *fault)
{
  dn_autofd int cwd = dn_path_make (child->root_fd, child->plan->process->cwd, true);

  /* As Docker does it, also where the root is read-only to the process: it becomes so later.  What
   * cannot be made is noticed on entering it. */
  (void) cwd;
  (void) fault;
  return 0;
}

static int
mask (int root, const char *path)
{
  dn_autofd int target = dn_path_open (root, path, O_PATH, 0);
  const char *const options[] = { "size=4096", "nr_inodes=2", "mode=555" };
  struct stat status;
  dn_autofd int made = -1;
  dn_autofd int null = -1;

  if (target < 0)
    return target == -ENOENT || target == -ENOTDIR ? 0 : target;
  if (fstat (target, &status) < 0)
    return -errno;
  if (!S_ISDIR (status.st_mode))
    {
      null = dn_path_open (root, "/dev/null", O_PATH, 0);
      if (null < 0)
        return null;
      return dn_child_bind (null, "", target, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC) < 0 ? -errno
                                                                                         : 0;
    }
  made = dn_child_new_mount ("tmpfs", options, 3,
                             MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
                                 | MOUNT_ATTR_NOEXEC);
  return made < 0 || dn_child_move_mount (made, target) < 0 ? -errno : 0;
}

static int
make_readonly (int root, const char *path)
{
  dn_autofd int target = dn_path_open (root, path, O_PATH, 0);

  if (target < 0)
    return target == -ENOENT || target == -ENOTDIR ? 0 : target;
  return dn_child_bind (target, "", target,
                        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)
                 < 0
             ? -errno
             : 0;
}

int
dn_child_hide_paths (DnChild *child, DnFault *fault)
{
  const DnConfig *config = child->plan->config;

  for (size_t i = 0; i < config->readonly_paths.count; i++)
    {
      int r = make_readonly (child->root_fd, config->readonly_paths.items[i]);

      if (r < 0)
        return dn_fault_set (fault, -EIO, "make '%s' read-only: %s",
                             config->readonly_paths.items[i], strerror (-r));
    }
  for (size_t i = 0; i < config->masked_paths.count; i++)
    {
      int r = mask (child->root_fd, config->masked_paths.items[i]);

      if (r < 0)
        return dn_fault_set (fault, -EIO, "mask '%s': %s", config->masked_paths.items[i],
                             strerror (-r));
    }
  return 0;
}

int
dn_child_pivot (DnChild *child, DnFault *fault)
{
  struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

  (void) fault;
  /* An image's own root is read-only already; this is for the layer that dn_root_make() adds where
   * mount points were missing. */
  if (child->plan->config->is_root_readonly
      && mount_setattr (child->root_fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return -1;
  if (fchdir (child->root_fd) < 0 || syscall (SYS_pivot_root, ".", ".") < 0)
    return -1;
  dn_fd_clear (&child->root_fd);
  /* The old root now lies over the new one; taking it off leaves the container's alone. */
  if (umount2 (".", MNT_DETACH) < 0)
    return -1;
  return chdir ("/");
}
