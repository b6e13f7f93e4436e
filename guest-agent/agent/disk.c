/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autofd.h"
#include "damage.h"

void
dn_disks_init (DnDisks *disks, const char *run_dir)
{
  *disks = (DnDisks){ .run_dir = run_dir };
}

bool
dn_disk_serial_is_valid (const char *serial)
{
  return serial[0] != '\0' && serial[0] != '.' && strlen (serial) <= DN_DISK_SERIAL_BYTES
         && strspn (serial, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
                == strlen (serial);
}

static bool
file_says (const char *path, const char *wanted)
{
  char text[64] = "";
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);

  if (fd < 0 || read (fd, text, sizeof text - 1) <= 0)
    return false;
  text[strcspn (text, "\n")] = '\0';
  return strcmp (text, wanted) == 0;
}

static const char *
find_test_disk (const DnDisks *disks, const char *serial)
{
  size_t bytes = strlen (serial);

  for (int i = 0; i < disks->test_disk_count; i++)
    if (strncmp (disks->test_disks[i], serial, bytes) == 0 && disks->test_disks[i][bytes] == '=')
      return disks->test_disks[i] + bytes + 1;
  return NULL;
}

int
dn_disk_find (const DnDisks *disks, const char *serial, char *ret_path, size_t size)
{
  const char *test_path = find_test_disk (disks, serial);
  DIR *directory;
  struct dirent *entry;
  int r = -ENOENT;

  if (test_path != NULL)
    return snprintf (ret_path, size, "%s", test_path) < (int) size ? 0 : -ENAMETOOLONG;
  if (disks->test_disk_count > 0 || (directory = opendir ("/sys/block")) == NULL)
    return -ENOENT;
  while (r < 0 && (entry = readdir (directory)) != NULL)
    {
      char path[DN_DISK_PATH_BYTES];

      if (strncmp (entry->d_name, "vd", 2) != 0)
        continue;
      (void) snprintf (path, sizeof path, "/sys/block/%s/serial", entry->d_name);
      if (!file_says (path, serial))
        continue;
      (void) snprintf (ret_path, size, "/dev/%s", entry->d_name);
      r = 0;
    }
  (void) closedir (directory);
  return r;
}

/* A part of an image file as a device, for tests: goes with its last user. */
static int
make_loop_device (const char *path, const DnVeritySlice *slice, char *ret_device, size_t size)
{
  dn_autofd int control = open ("/dev/loop-control", O_RDWR | O_CLOEXEC);
  dn_autofd int image = open (path, O_RDONLY | O_CLOEXEC);
  struct loop_config config
      = { .fd = (unsigned) image, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };

  if (slice != NULL)
    {
      config.info.lo_offset = slice->start_block * DN_DISK_BLOCK_BYTES;
      config.info.lo_sizelimit = slice->data_blocks * DN_DISK_BLOCK_BYTES;
    }
  for (int tries = 0; control >= 0 && image >= 0 && tries < 16; tries++)
    {
      int number = ioctl (control, LOOP_CTL_GET_FREE);
      int device;

      (void) snprintf (ret_device, size, "/dev/loop%d", number);
      device = number < 0 ? -1 : open (ret_device, O_RDONLY | O_CLOEXEC);
      if (device >= 0 && ioctl (device, LOOP_CONFIGURE, &config) == 0)
        return device;
      dn_fd_clear (&device);
    }
  return -1;
}

void
dn_disk_path (const DnDisks *disks, const DnDisk *disk, unsigned layer,
              char ret_path[DN_DISK_PATH_BYTES])
{
  (void) snprintf (ret_path, DN_DISK_PATH_BYTES, "%s/disks/%s:%u", disks->run_dir, disk->serial,
                   layer);
}

static void
make_name (const DnDisk *disk, unsigned layer, char *ret_name, size_t size)
{
  (void) snprintf (ret_name, size, "%s.%u.%u", disk->serial, layer, disk->number);
}

/* Attaches a test's file system, of a part of a file or of a directory, at @target. */
static int
mount_for_test (const char *source, const DnVeritySlice *slice, const char *target,
                dev_t *ret_device)
{
  const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
  dn_autofd int loop = -1;
  char device[32];
  struct stat status;

  if (stat (source, &status) == 0 && S_ISDIR (status.st_mode))
    return mount (source, target, NULL, MS_BIND, NULL) < 0
                   || mount (NULL, target, NULL, MS_BIND | MS_REMOUNT | flags, NULL) < 0
               ? -1
               : 0;
  loop = make_loop_device (source, slice, device, sizeof device);
  if (loop < 0 || fstat (loop, &status) < 0)
    return -1;
  *ret_device = status.st_rdev;
  return mount (device, target, "erofs", flags, NULL);
}

/* Makes the device that checks a layer's blocks, if it is to be checked, and mounts it. */
static int
mount_layer (const DnDisks *disks, DnDisk *disk, const char *source, unsigned layer, DnFault *fault)
{
  const DnVeritySlice *slice = disk->layers.count > 0 ? &disk->layers.slices[layer] : NULL;
  DnDiskMount *mounted = &disk->mounts[layer];
  const bool is_test = disks->test_disk_count > 0;
  char name[DN_VERITY_SLICE_NAME_BYTES + 1];
  char device[DN_VERITY_DEVICE_BYTES];
  char target[DN_DISK_PATH_BYTES];
  int r;

  if (slice != NULL && !is_test)
    {
      make_name (disk, layer, name, sizeof name);
      r = dn_verity_slice_make (slice, name, source, &mounted->device);
      if (r < 0)
        return dn_fault_set (fault, r, "disk '%s': layer %u: make the device that checks it: %s",
                             disk->serial, layer, strerror (-r));
      dn_verity_slice_path (mounted->device, device, sizeof device);
      source = device;
    }
  dn_disk_path (disks, disk, layer, target);
  if (mkdir (target, 0755) < 0 && errno != EEXIST)
    return dn_fault_set_errno (fault, "disk '%s': make its mount point", disk->serial);
  if ((is_test ? mount_for_test (source, slice, target, &mounted->device)
               : mount (source, target, "erofs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL))
      < 0)
    {
      (void) dn_fault_set_errno (fault, "disk '%s': layer %u: mount as EROFS", disk->serial, layer);
      (void) rmdir (target);
      return fault->status;
    }
  mounted->mount_fd = open (target, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (mounted->mount_fd < 0)
    {
      (void) dn_fault_set_errno (fault, "disk '%s'", disk->serial);
      (void) umount2 (target, MNT_DETACH);
      (void) rmdir (target);
      return fault->status;
    }
  return 0;
}

/* Takes away what there is of a disk, and frees its slot. */
static void
let_go (DnDisks *disks, DnDisk *disk)
{
  dn_damage_tell_last (disks, disk);
  for (unsigned i = disk->mount_count; i-- > 0;)
    {
      char target[DN_DISK_PATH_BYTES];
      char name[DN_VERITY_SLICE_NAME_BYTES + 1];

      dn_disk_path (disks, disk, i, target);
      if (disk->mounts[i].mount_fd >= 0)
        {
          dn_fd_clear (&disk->mounts[i].mount_fd);
          /* Not lazily: the containers' clones are mounts of their own, nobody else uses this
           * one. */
          if (umount2 (target, UMOUNT_NOFOLLOW) < 0)
            (void) umount2 (target, MNT_DETACH);
          (void) rmdir (target);
        }
      make_name (disk, i, name, sizeof name);
      if (disk->mounts[i].device != 0 && disks->test_disk_count == 0)
        (void) dn_verity_slice_remove (&disk->layers.slices[i], name);
    }
  free (disk->mounts);
  dn_disk_layers_clear (&disk->layers);
  *disk = (DnDisk){ 0 };
}

static int
read_blocks (const char *source, uint64_t *ret_blocks)
{
  dn_autofd int fd = open (source, O_RDONLY | O_CLOEXEC);
  struct stat status;
  off_t bytes;

  if (fd < 0 || fstat (fd, &status) < 0 || (bytes = lseek (fd, 0, SEEK_END)) < 0)
    return -errno;
  /* A test's directory, which has no blocks, holds every layer. */
  *ret_blocks = S_ISDIR (status.st_mode) ? UINT64_MAX : (uint64_t) bytes / DN_DISK_BLOCK_BYTES;
  return 0;
}

static int
mount_all (DnDisks *disks, DnDisk *disk, const char *source, DnFault *fault)
{
  uint64_t blocks = 0;
  int r;

  if (disk->layers.count > 0 && (r = read_blocks (source, &blocks)) < 0)
    return dn_fault_set (fault, r, "disk '%s': %s", disk->serial, strerror (-r));
  if (disk->layers.count > 0 && !dn_disk_layers_fit (&disk->layers, blocks))
    return dn_fault_set (fault, -EINVAL, "disk '%s': its layers go beyond its end", disk->serial);
  for (unsigned i = 0; i < disk->mount_count; i++)
    if ((r = mount_layer (disks, disk, source, i, fault)) < 0)
      return r;
  return 0;
}

/* Fills a free slot, without anything mounted. */
static int
begin_disk (DnDisks *disks, DnDisk *disk, const char *serial, const DnDiskLayers *layers)
{
  unsigned count = layers->count > 0 ? layers->count : 1;

  *disk = (DnDisk){ .number = ++disks->last_number, .mount_count = count };
  disk->mounts = calloc (count, sizeof *disk->mounts);
  if (disk->mounts == NULL || dn_disk_layers_copy (layers, &disk->layers) < 0)
    {
      free (disk->mounts);
      *disk = (DnDisk){ 0 };
      return -ENOMEM;
    }
  for (unsigned i = 0; i < count; i++)
    disk->mounts[i].mount_fd = -1;
  (void) snprintf (disk->serial, sizeof disk->serial, "%s", serial);
  return 0;
}

static DnDisk *
find_slot (DnDisks *disks, const char *serial)
{
  DnDisk *free_slot = NULL;

  for (int i = 0; i < DN_DISKS_MAX; i++)
    {
      if (strcmp (disks->disks[i].serial, serial) == 0)
        return &disks->disks[i];
      if (disks->disks[i].serial[0] == '\0' && free_slot == NULL)
        free_slot = &disks->disks[i];
    }
  return free_slot;
}

static int
take_again (DnDisk *disk, const DnDiskLayers *layers, DnFault *fault)
{
  if (!dn_disk_layers_are_equal (&disk->layers, layers))
    return dn_fault_set (fault, -EINVAL, "disk '%s': is in use with other layers", disk->serial);
  disk->references++;
  return 0;
}

int
dn_disk_take (DnDisks *disks, const char *serial, const DnDiskLayers *layers, DnDisk **ret_disk,
              DnFault *fault)
{
  DnDisk *disk = find_slot (disks, serial);
  char source[DN_DISK_PATH_BYTES];
  uint64_t blocks;
  int r;

  if (disk == NULL)
    return dn_fault_set (fault, -ENOSPC, "disk '%s': more than %d disks", serial, DN_DISKS_MAX);
  if (disk->references > 0)
    {
      r = take_again (disk, layers, fault);
      *ret_disk = r == 0 ? disk : NULL;
      return r;
    }
  if (dn_disk_find (disks, serial, source, sizeof source) < 0)
    return dn_fault_set (fault, -ENOENT, "disk '%s': is not in this guest", serial);
  /* One that is just being plugged in has its name a moment before it can be opened. */
  if (read_blocks (source, &blocks) == -ENXIO)
    return dn_fault_set (fault, -ENOENT, "disk '%s': is not in this guest yet", serial);
  if (begin_disk (disks, disk, serial, layers) < 0)
    return dn_fault_set (fault, -ENOMEM, "disk '%s': no memory", serial);
  r = mount_all (disks, disk, source, fault);
  if (r < 0)
    {
      let_go (disks, disk);
      /* The device may just have gone again; that is not the same as not there yet. */
      return fault->status = r == -ENOENT ? -EIO : r;
    }
  disk->references = 1;
  *ret_disk = disk;
  return 0;
}

void
dn_disk_release (DnDisks *disks, DnDisk *disk)
{
  if (disk != NULL && --disk->references == 0)
    let_go (disks, disk);
}
