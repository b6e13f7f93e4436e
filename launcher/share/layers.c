/* SPDX-License-Identifier: Apache-2.0 */
#include "layers.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "answer.h"
#include "id-map.h"
#include "mounts.h"
#include "overlay-options.h"
#include "tree.h"

/* Where the layers are put together: any directory that every host has.  What is mounted over it in
 * this process's namespace is seen by nobody else. */
#define BASE "/run"
#define OPTIONS_BYTES 4096 /* what mount(2) takes: a page */
#define OWN_WORK "/danchi" /* in the work directory of a volatile overlay */

/* Detached clones of the layers, translated. */
typedef struct
{
  int lower[DN_OVERLAY_LAYERS_MAX];
  size_t lower_count;
  int upper; /* of the directory that holds upper and work directory; -1: none */
} Clones;

bool
dn_share_layers_are_there (int fd)
{
  struct statfs system;

  return fstatfs (fd, &system) == 0 && (unsigned long) system.f_type == OVERLAYFS_SUPER_MAGIC;
}

static int
read_options (int fd, DnOverlayOptions *ret_options)
{
  unsigned long long id = 0;
  char *text = dn_share_mounts_read (fd, &id);
  int r;

  *ret_options = (DnOverlayOptions){ .lower_count = 0 };
  if (text == NULL)
    return -errno;
  r = dn_overlay_options_find (text, id, ret_options);
  free (text);
  return r;
}

/* A translated clone of a directory's mount: a descriptor or -errno. */
static int
clone_layer (int base, const char *path, int map_fd, bool is_readonly)
{
  struct mount_attr attr
      = { .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | (is_readonly ? MOUNT_ATTR_RDONLY : 0),
          .propagation = 1 << 18, /* MS_PRIVATE */
          .userns_fd = (unsigned) map_fd };
  int tree = (int) syscall (SYS_open_tree, base, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  int r = tree < 0 ? -errno : 0;

  if (r == 0 && syscall (SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    r = -errno;
  if (r == 0)
    return tree;
  if (tree >= 0)
    (void) close (tree);
  return r;
}

/* Upper and work directory have to be in one mount: that of the directory that holds both. */
static int
clone_upper (const DnOverlayOptions *options, int map_fd)
{
  char holder[PATH_MAX];
  const char *upper = strrchr (options->upper, '/'), *work = strrchr (options->work, '/');
  size_t length = upper == NULL ? 0 : (size_t) (upper - options->upper);

  if (upper == NULL || work == NULL || length == 0 || length >= sizeof holder
      || (size_t) (work - options->work) != length
      || strncmp (options->upper, options->work, length) != 0)
    return -EXDEV;
  memcpy (holder, options->upper, length);
  holder[length] = '\0';
  return clone_layer (AT_FDCWD, holder, map_fd, false);
}

static int
clone_all (const DnOverlayOptions *options, int map_fd, Clones *clones)
{
  char path[PATH_MAX];
  int base = AT_FDCWD, r = 0;

  *clones = (Clones){ .upper = -1 };
  if (dn_overlay_options_base (options, path))
    base = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (size_t i = 0; i < options->lower_count && r >= 0; i++)
    {
      /* Without a base there is no telling where a name that is not whole begins. */
      if (options->lower[i][0] != '/' && base < 0)
        return -ENOENT;
      r = clone_layer (base, options->lower[i], map_fd, true);
      if (r >= 0)
        clones->lower[clones->lower_count++] = r;
    }
  if (r >= 0 && options->upper != NULL)
    {
      clones->upper = clone_upper (options, map_fd);
      r = clones->upper;
    }
  if (base >= 0)
    (void) close (base);
  return r < 0 ? r : 0;
}

static int
attach (int tree, const char *name)
{
  if (mkdir (name, 0700) < 0
      || syscall (SYS_move_mount, tree, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return -errno;
  return 0;
}

/* In the workshop: the clones under short names, since a list of 128 is to fit in what mount(2)
 * takes.  Writes the options of the overlay over them. */
static int
attach_all (const DnOverlayOptions *options, const Clones *clones, char ret_text[OPTIONS_BYTES])
{
  int used = snprintf (ret_text, OPTIONS_BYTES, "index=off%s,lowerdir=", options->options), r;

  for (size_t i = 0; i < clones->lower_count; i++)
    {
      char name[16];

      (void) snprintf (name, sizeof name, "%zu", i);
      if ((r = attach (clones->lower[i], name)) < 0)
        return r;
      used += snprintf (ret_text + used, OPTIONS_BYTES - (size_t) used, "%s%s", i > 0 ? ":" : "",
                        name);
      if (used >= OPTIONS_BYTES - 1)
        return -E2BIG;
    }
  if (clones->upper < 0)
    return clones->lower_count < 2 ? -EINVAL : 0;
  if ((r = attach (clones->upper, "u")) < 0)
    return r;
  used += snprintf (ret_text + used, OPTIONS_BYTES - (size_t) used, ",upperdir=u%s,workdir=u%s%s",
                    strrchr (options->upper, '/'), strrchr (options->work, '/'),
                    options->is_volatile ? OWN_WORK : "");
  return used >= OPTIONS_BYTES ? -E2BIG : 0;
}

/* The pod's root as the layers see it: a change of this id takes the capabilities that are about
 * files, which the overlay has to have. */
static int
become_pods_root (uid_t first_id)
{
  static const unsigned needed[]
      = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_SETFCAP };
  const uid_t id = DN_SHARE_FIRST_ID + first_id;

  (void) setfsgid (id);
  (void) setfsuid (id);
  if ((uid_t) setfsuid (id) != id || (uid_t) setfsgid (id) != id)
    return -EPERM;
  if (capng_get_caps_process () < 0)
    return -EPERM;
  for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
    if (capng_have_capability (CAPNG_PERMITTED, needed[i]) != 0)
      (void) capng_update (CAPNG_ADD, CAPNG_EFFECTIVE, needed[i]);
  return capng_apply (CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}

/* A volatile mount, as CRI-O's are, leaves a mark in its work directory, with which the kernel
 * refuses every mount that comes after.  Ours has a directory within: it goes when the runtime
 * removes the container's.  It keeps what is synchronized: nobody would know what became of a
 * volatile one when the host stops. */
static int
make_work (const DnOverlayOptions *options)
{
  char path[PATH_MAX];

  if (!options->is_volatile)
    return 0;
  (void) snprintf (path, sizeof path, "u%s" OWN_WORK, strrchr (options->work, '/'));
  return mkdir (path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* CRI-O makes '/' a directory that nobody may write in, which on the host a container's root may,
 * being above modes.  Of a share it is not: what it asks for is asked for by a number.  So the
 * owner, who could say so himself, is let in. */
static int
open_root_to_owner (const Clones *clones)
{
  struct stat status;

  if (clones->upper < 0)
    return 0;
  if (stat ("root", &status) < 0)
    return -errno;
  if ((status.st_mode & S_IWUSR) != 0)
    return 0;
  return chmod ("root", (status.st_mode & 07777) | S_IWUSR) < 0 ? -errno : 0;
}

static int
lay (const DnOverlayOptions *options, const Clones *clones, uid_t first_id, const char **ret_step)
{
  char text[OPTIONS_BYTES];
  int r, tree;

  *ret_step = "private mounts";
  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
      || mount ("danchi-layers", BASE, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=0755") < 0
      || chdir (BASE) < 0 || mkdir ("root", 0700) < 0)
    return -errno;
  *ret_step = "its layers";
  if ((r = attach_all (options, clones, text)) < 0)
    return r;
  *ret_step = "the pod's rights";
  if ((r = become_pods_root (first_id)) < 0)
    return r;
  *ret_step = "its work directory";
  if ((r = make_work (options)) < 0)
    return r;
  *ret_step = "its overlay";
  if (mount ("overlay", "root", "overlay",
             MS_NOSUID | MS_NODEV | (clones->upper < 0 ? (unsigned long) MS_RDONLY : 0), text)
      < 0)
    return -errno;
  *ret_step = "its root's mode";
  if ((r = open_root_to_owner (clones)) < 0)
    return r;
  tree = (int) syscall (SYS_open_tree, AT_FDCWD, "root", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  r = tree < 0 ? -errno : tree;
  (void) setfsuid (geteuid ());
  (void) setfsgid (getegid ());
  return r;
}

static void
explain (int code, const char *step, DnShareAnswer *answer)
{
  if (code == EXDEV)
    dn_share_refuse (answer, code,
                     "its overlay's upper and work directory are not in one directory\n"
                     "mount it as containerd's overlayfs snapshotter does");
  else if (code == EINVAL && strcmp (step, "its layers") == 0)
    dn_share_refuse (answer, EOPNOTSUPP,
                     "the host's kernel cannot translate owners on the file system of its layers\n"
                     "put the snapshots on ext4, xfs, btrfs or f2fs");
  else
    dn_share_refuse (answer, code, "%s: %s", step, strerror (code));
}

int
dn_share_layers_make (int fd, const DnShareSource *source, uid_t first_id, DnShareAnswer *answer)
{
  DnOverlayOptions options;
  Clones clones = { .upper = -1 };
  const char *step = "what it is made of";
  int map = -1, r = read_options (fd, &options);

  if (r == 0)
    {
      step = "its id map";
      map = r = dn_share_make_pod_map (first_id);
    }
  if (r >= 0)
    {
      step = "its layers";
      r = clone_all (&options, map, &clones);
    }
  if (r == 0)
    r = lay (&options, &clones, first_id, &step);
  if (r >= 0)
    {
      int restricted = dn_share_tree_restrict (r, source);

      step = "its mount";
      r = restricted < 0 ? restricted : r;
    }
  dn_overlay_options_clear (&options);
  /* All else that is open goes with this process. */
  if (r >= 0)
    return r;
  explain (-r, step, answer);
  return -1;
}
