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
make_upper (int lower, int data, const DnConfig *config)
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

/* A place to mount on that goes with all that is mounted there at once.  What was made out of it
 * stays: an overlay keeps its layers. */
static int
open_workshop (const char *work_dir)
{
  if (mount ("tmpfs", work_dir, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
    return -1;
  /* What is mounted here is to appear nowhere else. */
  if (mount (NULL, work_dir, NULL, MS_PRIVATE, NULL) < 0)
    return -1;
  return open (work_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
close_workshop (const char *work_dir)
{
  int saved_errno = errno;

  (void) umount2 (work_dir, MNT_DETACH);
  errno = saved_errno;
}

/* Mounts clones of the disk's layers, and writes overlayfs's list of them: topmost first, in paths
 * that begin where it will be read, because a list of 128 is to fit in what mount(2) takes. */
static int
mount_lower (const DnDisk *disk, int user_namespace, int workshop, char *ret_list, size_t size)
{
  size_t used = 0;

  for (unsigned i = disk->mount_count; i-- > 0;)
    {
      dn_autofd int tree = clone_idmapped (disk->mounts[i].mount_fd, user_namespace, true);
      char name[16];

      (void) snprintf (name, sizeof name, "%u", i);
      if (tree < 0 || mkdirat (workshop, name, 0700) < 0
          || move_mount (tree, "", workshop, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return -1;
      used += (size_t) snprintf (ret_list + used, size - used, "%s%s", used > 0 ? ":" : "", name);
      if (used >= size)
        {
          errno = E2BIG;
          return -1;
        }
    }
  return 0;
}

/* What is written to: the scratch disk, or a tmpfs of bounded size. */
typedef struct
{
  const DnScratch *scratch; /* or NULL */
  uint64_t size_bytes;      /* 0: nothing is written */
} Upper;

static int
mount_data (const Upper *upper)
{
  char options[96];

  if (upper->scratch != NULL)
    return dn_scratch_mount (upper->scratch, "data");
  (void) snprintf (options, sizeof options, "mode=0700,size=%" PRIu64, upper->size_bytes);
  return mount ("tmpfs", "data", "tmpfs", MS_NOSUID | MS_NODEV, options);
}

static int
mount_upper (const DnDisk *disk, int workshop, const DnConfig *config, const Upper *upper)
{
  char top[16];
  dn_autofd int lower = -1;
  dn_autofd int data = -1;

  (void) snprintf (top, sizeof top, "%u", disk->mount_count - 1);
  if (mkdirat (workshop, "data", 0700) < 0 || mount_data (upper) < 0)
    return -1;
  lower = openat (workshop, top, O_PATH | O_DIRECTORY | O_CLOEXEC);
  data = openat (workshop, "data", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return lower < 0 || data < 0 ? -1 : make_upper (lower, data, config);
}

/* The overlay of all.  By mount(2), since fsconfig(2) takes no value of more than 255 bytes and
 * Linux 6.1 no list in pieces.
 *
 * Its options: the layers are the image's and never change, so nothing that helps with changes
 * below is needed (index, metacopy); a layer must not lead into another directory than its own
 * (redirect_dir); and files of all layers are to look like those of one file system (xino). */
static int
mount_overlay (int workshop, const char *lower, bool has_upper)
{
  static const char common[] = "redirect_dir=nofollow,index=off,metacopy=off,xino=on";
  char options[2048];
  int n = snprintf (options, sizeof options, "%s%s,lowerdir=%s", common,
                    has_upper ? ",upperdir=data/upper,workdir=data/work" : "", lower);

  if (n < 0 || (size_t) n >= sizeof options)
    {
      errno = E2BIG;
      return -1;
    }
  if (mkdirat (workshop, "root", 0700) < 0
      || mount ("overlay", "root", "overlay",
                MS_NOSUID | MS_NODEV | (has_upper ? 0 : (unsigned long) MS_RDONLY), options)
             < 0)
    return -1;
  return open_tree (workshop, "root", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* Lays an overlay over clones of the disk's layers. */
static int
make_overlay (const DnDisk *disk, int user_namespace, const DnConfig *config, const char *work_dir,
              const Upper *upper)
{
  /* Numbers below 128, and what parts them. */
  char lower[4 * DN_DISK_LAYERS_MAX + 1];
  dn_autofd int workshop = open_workshop (work_dir);
  int overlay = -1;

  /* Paths in a mount's options have no directory that they could begin in but this one. */
  if (workshop >= 0 && fchdir (workshop) == 0
      && mount_lower (disk, user_namespace, workshop, lower, sizeof lower) == 0
      && (upper->size_bytes == 0 || mount_upper (disk, workshop, config, upper) == 0))
    overlay = mount_overlay (workshop, lower, upper->size_bytes > 0);
  {
    int saved_errno = errno;

    (void) !chdir ("/");
    errno = saved_errno;
  }
  close_workshop (work_dir);
  return overlay;
}

int
dn_root_view (const DnDisk *disk, int user_namespace, const DnConfig *config, const char *work_dir,
              unsigned long attributes)
{
  const Upper none = { 0 };
  struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | attributes };
  dn_autofd int tree = disk->mount_count == 1
                           ? clone_idmapped (disk->mounts[0].mount_fd, user_namespace, true)
                           : make_overlay (disk, user_namespace, config, work_dir, &none);

  if (tree < 0 || mount_setattr (tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return -1;
  return dn_fd_steal (&tree);
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

/* Whether something is to be made in the image's tree itself: a link to a secret. */
static bool
needs_links (const DnConfig *config)
{
  for (size_t i = 0; config->secrets != NULL && i < config->secrets->links.count; i++)
    if (!is_below_another (config, strchr (config->secrets->links.items[i], ' ') + 1))
      return true;
  return false;
}

/* Whether the image has a directory for each mount, and the one the process starts in, and the
 * files that a container with a card needs. */
static bool
has_all_targets (int tree, const DnConfig *config)
{
  static const char *const files[] = { "/etc/hostname", "/etc/hosts", "/etc/resolv.conf" };

  for (size_t i = 0; i < config->mount_count; i++)
    if (is_lacking (tree, config, config->mounts[i].target))
      return false;
  for (size_t i = 0; config->needs_files && i < sizeof files / sizeof files[0]; i++)
    if (is_lacking (tree, config, files[i]))
      return false;
  return !is_lacking (tree, config, config->process.cwd) && dn_path_exists (tree, "/dev");
}

/* The smaller of both: a layer in memory gets at most half of the guest's. */
static uint64_t
bound_size (uint64_t size_bytes, uint64_t memory_bytes)
{
  return size_bytes > memory_bytes / 2 ? memory_bytes / 2 : size_bytes;
}

int
dn_root_make (const DnDisk *disk, const DnScratch *scratch, int user_namespace,
              const DnConfig *config, const char *work_dir, uint64_t memory_bytes, DnFault *fault)
{
  Upper upper = { .scratch = scratch->number != 0 ? scratch : NULL,
                  .size_bytes = bound_size (config->writable_bytes, memory_bytes) };
  dn_autofd int root = -1;

  if (config->is_root_readonly)
    {
      root = dn_root_view (disk, user_namespace, config, work_dir, 0);
      if (root < 0)
        return dn_fault_set_errno (fault, "make the root of %u layers", disk->mount_count);
      if (!needs_links (config) && has_all_targets (root, config))
        return dn_fd_steal (&root);
      dn_fd_clear (&root);
      /* Images of a single program have no /proc to mount on.  They get a layer for such
       * directories alone; the child makes it read-only when all is mounted. */
      upper = (Upper){ .size_bytes = bound_size (TARGETS_LAYER_BYTES, memory_bytes) };
    }
  root = make_overlay (disk, user_namespace, config, work_dir, &upper);
  if (root < 0)
    return dn_fault_set_errno (fault, "make the root writable");
  return dn_fd_steal (&root);
}
