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
#include <sys/sysmacros.h>

#include "autofd.h"

#define PATH_BYTES 512

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
      char path[PATH_BYTES];

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

/* An image file as a device, for tests: goes with its last user. */
static int
make_loop_device (const char *path, char *ret_device, size_t size)
{
  dn_autofd int control = open ("/dev/loop-control", O_RDWR | O_CLOEXEC);
  dn_autofd int image = open (path, O_RDONLY | O_CLOEXEC);
  struct loop_config config
      = { .fd = (unsigned) image, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };

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

/* Attaches the disk's file system at @target. */
static int
mount_at (const DnDisks *disks, const char *source, const char *target)
{
  const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
  dn_autofd int loop = -1;
  char device[32];
  struct stat status;

  if (disks->test_disk_count == 0 || stat (source, &status) < 0)
    return mount (source, target, "erofs", flags, NULL);
  if (S_ISDIR (status.st_mode))
    return mount (source, target, NULL, MS_BIND, NULL) < 0
                   || mount (NULL, target, NULL, MS_BIND | MS_REMOUNT | flags, NULL) < 0
               ? -1
               : 0;
  loop = make_loop_device (source, device, sizeof device);
  return loop < 0 ? -1 : mount (device, target, "erofs", flags, NULL);
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

static void
make_target (const DnDisks *disks, const char *serial, char *ret_path, size_t size)
{
  (void) snprintf (ret_path, size, "%s/disks/%s", disks->run_dir, serial);
}

int
dn_disk_take (DnDisks *disks, const char *serial, DnDisk **ret_disk, DnFault *fault)
{
  DnDisk *disk = find_slot (disks, serial);
  char source[PATH_BYTES];
  char target[PATH_BYTES];

  if (disk == NULL)
    return dn_fault_set (fault, -ENOSPC, "disk '%s': more than %d disks", serial, DN_DISKS_MAX);
  if (disk->references > 0)
    {
      disk->references++;
      *ret_disk = disk;
      return 0;
    }
  if (dn_disk_find (disks, serial, source, sizeof source) < 0)
    return dn_fault_set (fault, -ENOENT, "disk '%s': is not in this guest", serial);
  make_target (disks, serial, target, sizeof target);
  if (mkdir (target, 0755) < 0 && errno != EEXIST)
    return dn_fault_set_errno (fault, "disk '%s': make its mount point", serial);
  if (mount_at (disks, source, target) < 0)
    {
      (void) dn_fault_set_errno (fault, "disk '%s': mount as EROFS", serial);
      (void) rmdir (target);
      /* The device may just have gone again; that is not the same as not there yet. */
      return fault->status = fault->status == -ENOENT ? -EIO : fault->status;
    }
  disk->mount_fd = open (target, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (disk->mount_fd < 0)
    return dn_fault_set_errno (fault, "disk '%s'", serial);
  (void) snprintf (disk->serial, sizeof disk->serial, "%s", serial);
  disk->references = 1;
  *ret_disk = disk;
  return 0;
}

void
dn_disk_release (DnDisks *disks, DnDisk *disk)
{
  char target[PATH_BYTES];

  if (disk == NULL || --disk->references > 0)
    return;
  make_target (disks, disk->serial, target, sizeof target);
  dn_fd_clear (&disk->mount_fd);
  /* Not lazily: the containers' clones are mounts of their own, nobody else uses this one. */
  if (umount2 (target, UMOUNT_NOFOLLOW) < 0)
    (void) umount2 (target, MNT_DETACH);
  (void) rmdir (target);
  disk->serial[0] = '\0';
}
