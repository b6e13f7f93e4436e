/* SPDX-License-Identifier: Apache-2.0 */
#include "volume-mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autofd.h"

static bool
is_empty (int directory, const char *name)
{
  int fd = openat (directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *stream = fd < 0 ? NULL : fdopendir (fd);
  struct dirent *entry;
  bool is_it = stream != NULL;

  if (stream == NULL)
    {
      dn_fd_clear (&fd);
      return false;
    }
  while (is_it && (entry = readdir (stream)) != NULL)
    is_it = strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0;
  (void) closedir (stream);
  return is_it;
}

/* Whether this mount is to fill the volume: only one that is empty and nobody else's. */
static int
settle_filling (DnVolume *volume, DnConfigMount *mount, bool *ret_is_filling, DnFault *fault)
{
  *ret_is_filling = false;
  if (!mount->is_filled || volume->is_readonly || volume->references > 0
      || !is_empty (volume->mount_fd, DN_VOLUME_DATA))
    {
      mount->is_filled = false;
      return 0;
    }
  /* There may be one of a container that could not be made. */
  dn_volume_disk_purge (volume->target);
  if (mkdirat (volume->mount_fd, DN_VOLUME_FILLING, 0755) < 0)
    return dn_fault_set_errno (fault, "volume '%s': prepare its first content", volume->name);
  volume->is_being_filled = true;
  *ret_is_filling = true;
  return 0;
}

/* Whether it is this container that fills it. */
static bool
is_filler (const DnVolumeMounts *mounts, const DnVolume *volume)
{
  for (size_t i = 0; i < DN_CONFIG_VOLUME_MOUNTS_MAX; i++)
    if (mounts->volumes[i] == volume && mounts->is_filling[i])
      return true;
  return false;
}

static int
take (DnVolumeMounts *mounts, size_t number, DnAgent *agent, DnConfigMount *mount, DnFault *fault)
{
  DnVolume *volume = dn_volume_find (agent, mount->volume);
  int r = 0;

  if (volume == NULL || volume->is_foreign)
    return dn_fault_set (fault, -EINVAL, "mount '%s': the volume is not open in this guest",
                         mount->target);
  if (volume->is_being_filled && !is_filler (mounts, volume))
    return dn_fault_set (fault, -ENOENT, "volume '%s': another container is filling it",
                         volume->name);
  if (volume->is_being_filled)
    mount->is_filled = false; /* by its first mount; this one shows the same */
  else
    r = settle_filling (volume, mount, &mounts->is_filling[number], fault);
  if (r < 0)
    return r;
  volume->references++;
  mounts->volumes[number] = volume;
  return 0;
}

int
dn_volume_mounts_take (DnVolumeMounts *mounts, DnAgent *agent, DnConfig *config, DnFault *fault)
{
  size_t number = 0;
  int r = 0;

  for (size_t i = 0; i < config->mount_count && r == 0; i++)
    {
      if (config->mounts[i].volume == NULL)
        continue;
      if (mounts->volumes[number] == NULL)
        r = take (mounts, number, agent, &config->mounts[i], fault);
      number++;
    }
  return r;
}

int
dn_volume_mounts_tree (const DnVolumeMounts *mounts, size_t number, const DnConfigMount *mount,
                       int user_namespace)
{
  const DnVolume *volume = mounts->volumes[number];
  /* Others wait as long as this container fills it. */
  const char *name = volume->is_being_filled ? DN_VOLUME_FILLING : DN_VOLUME_DATA;
  /* What is to be filled first becomes read-only in the child. */
  unsigned long later = mounts->is_filling[number] ? MOUNT_ATTR_RDONLY : 0;
  struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
                                         | (mount->attributes & ~later)
                                         | (volume->is_readonly ? MOUNT_ATTR_RDONLY : 0),
                             .userns_fd = (unsigned) user_namespace };
  dn_autofd int tree
      = open_tree (volume->mount_fd, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT);

  if (tree < 0 || mount_setattr (tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return -1;
  return dn_fd_steal (&tree);
}

int
dn_volume_root_take (DnAgent *agent, const char *id, DnVolume **ret_volume, DnFault *fault)
{
  DnVolume *volume = dn_volume_find (agent, id);

  if (volume == NULL || !volume->is_foreign || volume->references > 0)
    return dn_fault_set (fault, -EINVAL, "the container's root: volume '%s' is not open for it",
                         id);
  volume->references++;
  *ret_volume = volume;
  return 0;
}

int
dn_volume_root_tree (const DnVolume *volume, int user_namespace)
{
  struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
                                         | (volume->is_readonly ? MOUNT_ATTR_RDONLY : 0),
                             .userns_fd = (unsigned) user_namespace };
  dn_autofd int tree
      = open_tree (volume->mount_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

  if (tree < 0 || mount_setattr (tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return -1;
  return dn_fd_steal (&tree);
}

void
dn_volume_root_release (DnVolume *volume)
{
  if (volume != NULL)
    volume->references--;
}

int
dn_volume_mounts_settle (DnVolumeMounts *mounts, DnFault *fault)
{
  for (size_t i = 0; i < DN_CONFIG_VOLUME_MOUNTS_MAX; i++)
    {
      DnVolume *volume = mounts->volumes[i];

      if (volume == NULL || !mounts->is_filling[i])
        continue;
      /* Over the empty one; the child has it on the disk already. */
      if (renameat (volume->mount_fd, DN_VOLUME_FILLING, volume->mount_fd, DN_VOLUME_DATA) < 0)
        return dn_fault_set_errno (fault, "volume '%s': put its first content in place",
                                   volume->name);
      mounts->is_filling[i] = false;
      volume->is_being_filled = false;
    }
  return 0;
}

void
dn_volume_mounts_clear (DnVolumeMounts *mounts)
{
  for (size_t i = 0; i < DN_CONFIG_VOLUME_MOUNTS_MAX; i++)
    {
      DnVolume *volume = mounts->volumes[i];

      if (volume == NULL)
        continue;
      volume->references--;
      if (mounts->is_filling[i])
        volume->is_being_filled = false;
    }
  *mounts = (DnVolumeMounts){ 0 };
}
