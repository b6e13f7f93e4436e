/* SPDX-License-Identifier: Apache-2.0 */
#include "share-child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autofd.h"
#include "child-mounts.h"
#include "path.h"
#include "share.h"

#define DRIVER "/sys/bus/virtio/drivers/virtiofs"
#define WHERE_BYTES 512

/* Mounts that lie below the place of a bind, held while it is mounted. */
typedef struct
{
  const char *path;
  int fd;
} Nested;

static void
format_share (const DnShareTask *task, char ret_path[WHERE_BYTES])
{
  (void) snprintf (ret_path, WHERE_BYTES, "%s/share", task->run_dir);
}

static void
format_name (const DnShareTask *task, char ret_path[WHERE_BYTES])
{
  (void) snprintf (ret_path, WHERE_BYTES, "%s/share/%u", task->run_dir, task->number);
}

static int
mount_share (const DnShareTask *task, DnFault *fault)
{
  char where[WHERE_BYTES];

  format_share (task, where);
  (void) mkdir (where, 0700);
  if (task->test_share != NULL
          ? mount (task->test_share, where, NULL, MS_BIND, NULL) < 0
          /* Busy: that of another container which starts at the same time has done it. */
          : mount (DN_SHARE_TAG, where, "virtiofs", MS_NOSUID | MS_NODEV, NULL) < 0
                && errno != EBUSY)
    return dn_fault_set_errno (fault, "mount the guest's share");
  return 0;
}

/* A clone of what has the bind's number, with the attributes of its place. */
static int
take_bind (const DnShareTask *task, unsigned long attributes, DnFault *fault)
{
  struct mount_attr attr = { .attr_set = attributes, .propagation = MS_PRIVATE };
  char where[WHERE_BYTES];
  dn_autofd int tree = -1;
  int r;

  format_name (task, where);
  tree = open_tree (AT_FDCWD, where, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
  if (tree < 0 && errno == ENOENT && (r = mount_share (task, fault)) < 0)
    return r;
  if (tree < 0)
    tree = open_tree (AT_FDCWD, where, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
  if (tree < 0 || mount_setattr (tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return dn_fault_set_errno (fault, "mount '%s': open it in the share",
                               task->target != NULL ? task->target : "/");
  /* A file system of its own was mounted there by looking at it; the clone goes on without. */
  (void) umount2 (where, MNT_DETACH | UMOUNT_NOFOLLOW);
  return dn_fd_steal (&tree);
}

static bool
is_below (const char *path, const char *directory)
{
  size_t length = strlen (directory);

  return strncmp (path, directory, length) == 0 && path[length] == '/' && path[length + 1] != '\0';
}

/* Only the uppermost: what is mounted in them moves with them. */
static bool
is_uppermost (const DnConfig *config, const char *path, const char *directory)
{
  for (size_t i = 0; i < config->mount_count; i++)
    if (is_below (config->mounts[i].target, directory) && is_below (path, config->mounts[i].target))
      return false;
  return true;
}

static int
hold_nested (const DnShareTask *task, int root, Nested *nested, size_t *ret_count, DnFault *fault)
{
  const DnConfig *config = task->config;

  *ret_count = 0;
  for (size_t i = 0; i < config->mount_count; i++)
    {
      const DnConfigMount *mount = &config->mounts[i];
      dn_autofd int fd = -1;

      /* Places of binds are mounted on later, parents first. */
      if (!is_below (mount->target, task->target) || strcmp (mount->type, "share") == 0
          || !is_uppermost (config, mount->target, task->target))
        continue;
      fd = dn_path_open (root, mount->target, O_PATH, 0);
      if (fd < 0)
        return dn_fault_set (fault, -EIO, "mount '%s': %s", mount->target, strerror (-fd));
      nested[*ret_count] = (Nested){ mount->target, dn_fd_steal (&fd) };
      (*ret_count)++;
    }
  return 0;
}

static int
move_nested (const DnShareTask *task, int root, const Nested *nested, DnFault *fault)
{
  dn_autofd int target = dn_path_open (root, nested->path, O_PATH, 0);

  if (target < 0)
    return dn_fault_set (fault, -EIO,
                         "mount '%s': lies in '%s', and the host has no such directory there",
                         nested->path, task->target);
  if (dn_child_move_mount (nested->fd, target) < 0)
    return dn_fault_set_errno (fault, "mount '%s'", nested->path);
  return 0;
}

/* In the container's mount namespace. */
static int
attach (const DnShareTask *task, int tree, DnFault *fault)
{
  Nested nested[DN_CONFIG_MOUNTS_MAX];
  dn_autofd int root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  dn_autofd int target = root < 0 ? -errno : dn_path_open (root, task->target, O_PATH, 0);
  struct stat there, here;
  size_t count = 0;
  int r;

  if (target < 0)
    return dn_fault_set (fault, -EIO, "mount '%s': %s", task->target, strerror (-target));
  if (fstat (target, &there) < 0 || fstat (tree, &here) < 0)
    return dn_fault_set_errno (fault, "mount '%s'", task->target);
  if (S_ISDIR (there.st_mode) != S_ISDIR (here.st_mode))
    return dn_fault_set (fault, -EIO, "mount '%s': is %s directory on the host, and here it is not",
                         task->target, S_ISDIR (here.st_mode) ? "a" : "no");
  r = hold_nested (task, root, nested, &count, fault);
  if (r == 0 && dn_child_move_mount (tree, target) < 0)
    r = dn_fault_set_errno (fault, "mount '%s'", task->target);
  for (size_t i = 0; i < count; i++)
    {
      if (r == 0)
        r = move_nested (task, root, &nested[i], fault);
      (void) close (nested[i].fd);
    }
  return r;
}

static const DnConfigMount *
find_place (const DnShareTask *task)
{
  for (size_t i = 0; i < task->config->mount_count; i++)
    if (strcmp (task->config->mounts[i].type, DN_CONFIG_MOUNT_SHARE) == 0
        && strcmp (task->config->mounts[i].target, task->target) == 0)
      return &task->config->mounts[i];
  return NULL;
}

static int
mount_bind (const DnShareTask *task, DnFault *fault)
{
  const DnConfigMount *place = find_place (task);
  dn_autofd int tree = -1;

  if (place == NULL)
    return dn_fault_set (fault, -EINVAL, "mount '%s': the config has no share there", task->target);
  tree = take_bind (task, place->attributes, fault);
  if (tree < 0)
    return fault->status;
  if (setns (task->mount_namespace, CLONE_NEWNS) < 0)
    return dn_fault_set_errno (fault, "mount '%s': go to the container's mounts", task->target);
  return attach (task, tree, fault);
}

/* virtiofs has neither a control file nor a forced unmount.  Its driver is parted from its device:
 * from then on whoever asks gets ENOTCONN.  That waits for answers that are under way, which may
 * never come; whoever waits for those waits until the guest ends. */
static int
end_share (const DnShareTask *task, DnFault *fault)
{
  DIR *devices = opendir (DRIVER);
  struct dirent *entry = NULL;
  dn_autofd int fd = -1;
  int r = 0;

  (void) task;
  while (devices != NULL && (entry = readdir (devices)) != NULL
         && strncmp (entry->d_name, "virtio", strlen ("virtio")) != 0)
    ;
  if (entry != NULL)
    {
      fd = open (DRIVER "/unbind", O_WRONLY | O_CLOEXEC);
      if (fd < 0 || write (fd, entry->d_name, strlen (entry->d_name)) < 0)
        r = dn_fault_set_errno (fault, "end the share");
    }
  if (devices != NULL)
    (void) closedir (devices);
  return r;
}

int
dn_share_task_run (const DnShareTask *task, int *ret_fd, DnFault *fault)
{
  int tree;

  switch (task->kind)
    {
    case DN_SHARE_TASK_BIND:
      return mount_bind (task, fault);
    case DN_SHARE_TASK_ROOT:
      tree = take_bind (task, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, fault);
      *ret_fd = tree < 0 ? *ret_fd : tree;
      return tree < 0 ? fault->status : 0;
    case DN_SHARE_TASK_END:
      return end_share (task, fault);
    }
  return dn_fault_set (fault, -EINVAL, "the share: there is no such task");
}
