/* SPDX-License-Identifier: Apache-2.0 */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "autofd.h"
#include "path.h"

#define TARGETS_LAYER_BYTES (256 * 1024)

static int
clone_idmapped (int disk_fd, int user_namespace, bool is_readonly)
{
  struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
                                         | (is_readonly ? MOUNT_ATTR_RDONLY : 0),
                             .userns_fd = (unsigned) user_namespace };
  dn_autofd int tree = open_tree (disk_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

  if (tree < 0 || mount_setattr (tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return -1;
  return dn_fd_steal (&tree);
}

/* upper/ becomes the root's top directory, so it is given the image's owner and mode. */
static int
make_layers (int lower, int data, const DnConfig *config)
{
  dn_autofd int upper = -1;
  struct stat status;

  if (mkdirat (data, "upper", 0755) < 0 || mkdirat (data, "work", 0700) < 0)
    return -1;
  upper = openat (data, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (upper < 0 || fstat (lower, &status) < 0)
    return -1;
  /* A top directory with an owner outside the container's range belongs to its root. */
  if (status.st_uid < config->first_uid || status.st_uid - config->first_uid >= config->id_count)
    status.st_uid = config->first_uid;
  if (status.st_gid < config->first_gid || status.st_gid - config->first_gid >= config->id_count)
    status.st_gid = config->first_gid;
  if (fchown (upper, status.st_uid, status.st_gid) < 0)
    return -1;
  return fchmod (upper, status.st_mode & 0777);
}

static int
make_overlay (const char *work_dir)
{
  dn_autofd int fs = fsopen ("overlay", FSOPEN_CLOEXEC);
  char path[512];

  if (fs < 0)
    return -1;
  (void) fsconfig (fs, FSCONFIG_SET_STRING, "source", "overlay", 0);
  (void) snprintf (path, sizeof path, "%s/lower", work_dir);
  if (fsconfig (fs, FSCONFIG_SET_STRING, "lowerdir", path, 0) < 0)
    return -1;
  (void) snprintf (path, sizeof path, "%s/data/upper", work_dir);
  if (fsconfig (fs, FSCONFIG_SET_STRING, "upperdir", path, 0) < 0)
    return -1;
  (void) snprintf (path, sizeof path, "%s/data/work", work_dir);
  if (fsconfig (fs, FSCONFIG_SET_STRING, "workdir", path, 0) < 0
      || fsconfig (fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
    return -1;
  return fsmount (fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* Mounts lower and upper under @work_dir, lays the overlay over them and takes both away again:
 * the overlay keeps them. */
static int
make_writable (int tree, const DnConfig *config, const char *work_dir, uint64_t size_bytes)
{
  char lower_path[512];
  char data_path[512];
  char options[96];
  dn_autofd int lower = -1;
  dn_autofd int data = -1;
  int overlay = -1;

  (void) snprintf (lower_path, sizeof lower_path, "%s/lower", work_dir);
  (void) snprintf (data_path, sizeof data_path, "%s/data", work_dir);
  (void) snprintf (options, sizeof options, "mode=0700,size=%" PRIu64, size_bytes);
  if ((mkdir (lower_path, 0700) < 0 && errno != EEXIST)
      || (mkdir (data_path, 0700) < 0 && errno != EEXIST)
      || move_mount (tree, "", AT_FDCWD, lower_path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return -1;
  if (mount ("tmpfs", data_path, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0)
    {
      lower = open (lower_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
      data = open (data_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (lower >= 0 && data >= 0 && make_layers (lower, data, config) == 0)
        overlay = make_overlay (work_dir);
      dn_fd_clear (&lower);
      dn_fd_clear (&data);
    }
  {
    int saved_errno = errno;

    (void) umount2 (data_path, MNT_DETACH);
    (void) umount2 (lower_path, MNT_DETACH);
    (void) rmdir (data_path);
    (void) rmdir (lower_path);
    errno = saved_errno;
  }
  return overlay;
}

static bool
is_below_another (const DnConfig *config, const char *target)
{
  for (size_t i = 0; i < config->mount_count; i++)
    {
      size_t length = strlen (config->mounts[i].target);

      if (strncmp (target, config->mounts[i].target, length) == 0 && target[length] == '/'
          && target[length + 1] != '\0')
        return true;
    }
  return false;
}

/* Whether the image lacks a directory that is to be there when @path is entered or mounted on. */
static bool
is_lacking (int tree, const DnConfig *config, const char *path)
{
  dn_autofd int fd = is_below_another (config, path) ? -1 : dn_path_open (tree, path, O_PATH, 0);

  return fd == -ENOENT;
}

/* Whether the image has a directory for each mount, and the one the process starts in. */
static bool
has_all_targets (int tree, const DnConfig *config)
{
  for (size_t i = 0; i < config->mount_count; i++)
    if (is_lacking (tree, config, config->mounts[i].target))
      return false;
  return !is_lacking (tree, config, config->process.cwd) && dn_path_exists (tree, "/dev");
}

int
dn_root_make (int disk_fd, int user_namespace, const DnConfig *config, const char *work_dir,
              uint64_t memory_bytes, DnFault *fault)
{
  uint64_t size_bytes = config->writable_bytes;
  dn_autofd int tree = clone_idmapped (disk_fd, user_namespace, true);
  int overlay;

  if (tree < 0)
    return dn_fault_set_errno (fault, "map the root's ids");
  if (config->is_root_readonly && has_all_targets (tree, config))
    return dn_fd_steal (&tree);
  /* Images of a single program have no /proc to mount on.  They get a layer for such directories
   * alone; the child makes it read-only when all is mounted. */
  if (config->is_root_readonly)
    size_bytes = TARGETS_LAYER_BYTES;
  if (size_bytes > memory_bytes / 2)
    size_bytes = memory_bytes / 2;
  overlay = make_writable (tree, config, work_dir, size_bytes);
  if (overlay < 0)
    return dn_fault_set_errno (fault, "make the root writable");
  return overlay;
}
