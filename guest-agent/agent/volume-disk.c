/* SPDX-License-Identifier: Apache-2.0 */
#include "volume-disk.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../mapper/device-mapper.h"
#include "autofd.h"
#include "template.h"

#define SECTOR_BYTES 512
#define WAIT_US (20 * 1000)
#define APPEAR_TRIES (15 * 50)
#define RELEASE_TRIES (20 * 50)
/* ext4's superblock: where it is, and in it what says that it is one, and the blocks' number. */
#define SUPER_OFFSET 1024
#define SUPER_MAGIC_OFFSET (SUPER_OFFSET + 0x38)
#define SUPER_BLOCKS_LOW_OFFSET (SUPER_OFFSET + 0x04)
#define SUPER_BLOCKS_HIGH_OFFSET (SUPER_OFFSET + 0x150)
#define SUPER_MAGIC 0xef53
/* Not in a header for programs: ext4.h of the kernel's. */
#define EXT4_IOC_RESIZE_FS _IOW ('f', 16, __u64)

/* A device that is open, and its number. */
typedef struct
{
  int fd; /* -1: none */
  dev_t number;
  uint64_t bytes;
  char path[64];
} Device;

static int
say (DnFault *fault, const DnVolumeDisk *disk, int status, const char *what)
{
  /* -ENOENT is for who waits for a disk. */
  return dn_fault_set (fault, status == -ENOENT ? -EIO : status, "volume '%s': %s: %s", disk->name,
                       what, strerror (-status));
}

/* A test's file as a device: goes with its last user. */
static int
open_loop (const char *file, bool is_readonly, Device *ret_device)
{
  dn_autofd int control = open ("/dev/loop-control", O_RDWR | O_CLOEXEC);
  dn_autofd int backing = open (file, (is_readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  struct loop_config config
      = { .fd = (unsigned) backing,
          .info.lo_flags = LO_FLAGS_AUTOCLEAR | (is_readonly ? LO_FLAGS_READ_ONLY : 0) };

  for (int tries = 0; control >= 0 && backing >= 0 && tries < 16; tries++)
    {
      int number = ioctl (control, LOOP_CTL_GET_FREE);
      dn_autofd int fd = -1;

      (void) snprintf (ret_device->path, sizeof ret_device->path, "/dev/loop%d", number);
      fd = number < 0 ? -1 : open (ret_device->path, (is_readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
      if (fd >= 0 && ioctl (fd, LOOP_CONFIGURE, &config) == 0)
        return dn_fd_steal (&fd);
    }
  return -1;
}

static int
open_device (const char *path, bool is_readonly, Device *ret_device)
{
  struct stat status;
  dn_autofd int fd = -1;

  if (stat (path, &status) == 0 && S_ISREG (status.st_mode))
    fd = open_loop (path, is_readonly, ret_device);
  else
    {
      (void) snprintf (ret_device->path, sizeof ret_device->path, "%s", path);
      fd = open (path, (is_readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    }
  if (fd < 0 || fstat (fd, &status) < 0 || ioctl (fd, BLKGETSIZE64, &ret_device->bytes) < 0)
    return -errno;
  ret_device->number = status.st_rdev;
  ret_device->fd = dn_fd_steal (&fd);
  return 0;
}

/* A disk has its name a moment before it can be opened (ENXIO). */
static int
await_device (const DnDisks *disks, const DnVolumeDisk *disk, Device *ret_device)
{
  char path[DN_DISK_PATH_BYTES];
  int r = -ENOENT;

  for (int tries = 0; tries < APPEAR_TRIES; tries++)
    {
      r = dn_disk_find (disks, disk->disk, path, sizeof path);
      if (r == 0)
        r = open_device (path, disk->is_readonly, ret_device);
      if (r != -ENOENT && r != -ENXIO)
        return r;
      (void) usleep (WAIT_US);
    }
  return -ETIMEDOUT;
}

/* The key is in this text and the caller's bytes alone; the mapper wipes what it sends. */
static int
encrypt (const DnVolumeDisk *disk, const Device *below, Device *ret_device)
{
  DnMapperTable table = { .target = "crypt",
                          .is_writable = !disk->is_readonly,
                          .sectors = below->bytes / SECTOR_BYTES,
                          .minor = DN_MAPPER_MINOR_FREE };
  char key[2 * DN_VOLUME_KEY_BYTES + 1];
  char path[64];
  dev_t number;
  int r;

  for (size_t i = 0; i < DN_VOLUME_KEY_BYTES; i++)
    (void) snprintf (key + 2 * i, sizeof key - 2 * i, "%02x", disk->key[i]);
  (void) snprintf (table.name, sizeof table.name, "%s", disk->crypt_name);
  (void) snprintf (table.parameters, sizeof table.parameters,
                   "aes-xts-plain64 %s %" PRIu64 " %u:%u 0 1 allow_discards", key,
                   disk->first_sector, major (below->number), minor (below->number));
  explicit_bzero (key, sizeof key);
  r = dn_mapper_make (&table, &number);
  explicit_bzero (&table, sizeof table);
  if (r < 0)
    return r;
  (void) snprintf (path, sizeof path, "/dev/dm-%u", minor (number));
  r = open_device (path, disk->is_readonly, ret_device);
  if (r < 0)
    (void) dn_mapper_remove (disk->crypt_name);
  return r;
}

static bool
is_empty (const uint8_t *block)
{
  for (size_t i = 0; i < DN_TEMPLATE_BLOCK_BYTES; i++)
    if (block[i] != 0)
      return false;
  return true;
}

static uint32_t
read_le (const uint8_t *bytes, int count)
{
  uint32_t value = 0;

  while (count-- > 0)
    value = value << 8 | bytes[count];
  return value;
}

/* Makes a file system where there was never one.  @ret_blocks: (out): how large it is. */
static int
see_to_format (const DnVolumeDisk *disk, const Device *device, uint64_t *ret_blocks, DnFault *fault)
{
  const DnTemplate template = { .path = disk->template,
                                .blocks = DN_VOLUME_TEMPLATE_BLOCKS,
                                .has_no_zero = disk->is_encrypted };
  uint8_t block[DN_TEMPLATE_BLOCK_BYTES];
  int r;

  if (pread (device->fd, block, sizeof block, 0) != sizeof block)
    return say (fault, disk, errno != 0 ? -errno : -EIO, "read its disk");
  if (read_le (block + SUPER_MAGIC_OFFSET, 2) == SUPER_MAGIC)
    {
      *ret_blocks = read_le (block + SUPER_BLOCKS_LOW_OFFSET, 4)
                    | (uint64_t) read_le (block + SUPER_BLOCKS_HIGH_OFFSET, 4) << 32;
      return 0;
    }
  if (!disk->is_new && disk->is_encrypted)
    return dn_fault_set (
        fault, -EKEYREJECTED,
        "volume '%s': the key is not the one that it was made with, or its disk is "
        "damaged",
        disk->name);
  if (!disk->is_new || (!disk->is_encrypted && !is_empty (block)))
    return dn_fault_set (fault, -EUCLEAN,
                         "volume '%s': there is no file system on its disk any more: it is damaged",
                         disk->name);
  if (disk->is_readonly)
    return dn_fault_set (fault, -EROFS, "volume '%s': nothing was written to it yet", disk->name);
  if (device->bytes / DN_TEMPLATE_BLOCK_BYTES < DN_VOLUME_TEMPLATE_BLOCKS)
    return dn_fault_set (fault, -EINVAL, "volume '%s': has only %" PRIu64 " bytes", disk->name,
                         device->bytes);
  r = dn_template_write (device->fd, &template);
  *ret_blocks = DN_VOLUME_TEMPLATE_BLOCKS;
  return r < 0 ? say (fault, disk, r, "make its file system") : 0;
}

/* Of a file system that is somebody else's nothing is read here but that it is one. */
static int
see_to_foreign (const DnVolumeDisk *disk, const Device *device, DnFault *fault)
{
  uint8_t magic[2];
  ssize_t n = pread (device->fd, magic, sizeof magic, SUPER_MAGIC_OFFSET);

  if (n < 0)
    return say (fault, disk, -errno, "read its disk");
  return n == sizeof magic && read_le (magic, 2) == SUPER_MAGIC
             ? 0
             : dn_fault_set (fault, -EUCLEAN, "volume '%s': there is no ext4 on its disk",
                             disk->name);
}

static int
remove_one (const char *path, const struct stat *status, int kind, struct FTW *place)
{
  (void) status;
  (void) kind;
  (void) place;
  return remove (path);
}

void
dn_volume_disk_purge (const char *target)
{
  char path[DN_DISK_PATH_BYTES];

  (void) snprintf (path, sizeof path, "%s/" DN_VOLUME_FILLING, target);
  (void) nftw (path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Makes it as large as its disk, and its top directory as containers need it. */
static int
see_to_content (const DnVolumeDisk *disk, uint64_t blocks, uint64_t wanted, DnFault *fault)
{
  dn_autofd int top = open (disk->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat status;
  __u64 size = wanted;

  if (top < 0)
    return say (fault, disk, -errno, "open it");
  if (disk->is_readonly)
    return fstatat (top, DN_VOLUME_DATA, &status, AT_SYMLINK_NOFOLLOW) == 0
               ? 0
               : dn_fault_set (fault, -EROFS, "volume '%s': nothing was written to it yet",
                               disk->name);
  if (blocks < wanted && ioctl (top, EXT4_IOC_RESIZE_FS, &size) < 0)
    return say (fault, disk, -errno, "grow its file system");
  dn_volume_disk_purge (disk->target);
  if (fchmod (top, 0711) < 0 || (mkdirat (top, DN_VOLUME_DATA, 0755) < 0 && errno != EEXIST))
    return say (fault, disk, -errno, "make its top directory");
  return 0;
}

static int
mount_device (const DnVolumeDisk *disk, const Device *device, uint64_t blocks, DnFault *fault)
{
  const unsigned long flags = MS_NOSUID | MS_NODEV | (disk->is_readonly ? MS_RDONLY : 0);
  int r;

  if (mkdir (disk->target, 0700) < 0 && errno != EEXIST)
    return say (fault, disk, -errno, "make its mount point");
  /* Broken file systems are for their owner to look at: nothing more is written then. */
  if (mount (device->path, disk->target, "ext4", flags,
             disk->is_readonly ? "errors=remount-ro" : "errors=remount-ro,noinit_itable,discard")
      < 0)
    {
      r = -errno;
      (void) rmdir (disk->target);
      if (disk->is_readonly && r == -EROFS)
        return dn_fault_set (fault, r,
                             "volume '%s': its guest ended while it was writing, so it has to be "
                             "mounted writable once before it can be read-only",
                             disk->name);
      return r == -ENODEV
                 ? say (fault, disk, r, "this guest has no ext4")
                 : dn_fault_set (fault, -EUCLEAN, "volume '%s': its file system is damaged: %s",
                                 disk->name, strerror (-r));
    }
  if (disk->is_foreign)
    return 0;
  r = see_to_content (disk, blocks, device->bytes / DN_TEMPLATE_BLOCK_BYTES, fault);
  if (r < 0)
    {
      (void) umount2 (disk->target, UMOUNT_NOFOLLOW);
      (void) rmdir (disk->target);
    }
  return r;
}

int
dn_volume_disk_open (const DnDisks *disks, const DnVolumeDisk *disk, DnFault *fault)
{
  Device below = { .fd = -1 };
  Device above = { .fd = -1 };
  const Device *device = disk->is_encrypted ? &above : &below;
  uint64_t blocks = 0;
  int r = await_device (disks, disk, &below);

  if (r < 0)
    return r == -ETIMEDOUT
               ? dn_fault_set (fault, r, "volume '%s': its disk did not appear", disk->name)
               : say (fault, disk, r, "open its disk");
  if (disk->is_encrypted && (r = encrypt (disk, &below, &above)) < 0)
    (void) say (fault, disk, r, "decrypt it");
  if (r == 0)
    r = disk->is_foreign ? see_to_foreign (disk, device, fault)
                         : see_to_format (disk, device, &blocks, fault);
  if (r == 0)
    r = mount_device (disk, device, blocks, fault);
  dn_fd_clear (&above.fd);
  if (r < 0 && disk->is_encrypted)
    (void) dn_mapper_remove (disk->crypt_name);
  dn_fd_clear (&below.fd);
  return r < 0 ? fault->status : 0;
}

/* Whether the kernel has let go of the device: an exclusive opening is refused while a file system
 * is on it. */
static bool
is_free (const char *device)
{
  dn_autofd int fd = open (device, O_RDONLY | O_EXCL | O_CLOEXEC);

  return fd >= 0 || errno != EBUSY;
}

/* Of what is mounted at @target: "" where nothing is. */
static void
find_source (const char *target, char *ret_device, size_t size)
{
  struct stat status, above;
  char parent[DN_DISK_PATH_BYTES];
  char place[64];
  char link[1024];
  const char *name;
  ssize_t n;

  ret_device[0] = '\0';
  (void) snprintf (parent, sizeof parent, "%s/..", target);
  if (stat (target, &status) < 0 || stat (parent, &above) < 0 || status.st_dev == above.st_dev)
    return;
  (void) snprintf (place, sizeof place, "/sys/dev/block/%u:%u", major (status.st_dev),
                   minor (status.st_dev));
  n = readlink (place, link, sizeof link - 1);
  if (n <= 0)
    return;
  link[n] = '\0';
  name = strrchr (link, '/');
  (void) snprintf (ret_device, size, "/dev/%s", name != NULL ? name + 1 : link);
}

int
dn_volume_disk_close (const DnVolumeDisk *disk, DnFault *fault)
{
  char device[1088];
  int r = 0;

  find_source (disk->target, device, sizeof device);
  {
    dn_autofd int top = open (disk->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (top >= 0 && !disk->is_readonly && syncfs (top) < 0)
      r = -errno;
  }
  if (umount2 (disk->target, UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
    return say (fault, disk, -errno, "unmount it");
  (void) rmdir (disk->target);
  for (int tries = 0; device[0] != '\0' && !is_free (device); tries++)
    {
      if (tries == RELEASE_TRIES)
        return say (fault, disk, -EBUSY, "somebody still uses it");
      (void) usleep (WAIT_US);
    }
  if (disk->is_encrypted)
    (void) dn_mapper_remove (disk->crypt_name);
  return r < 0 ? say (fault, disk, r, "write what was left to write") : 0;
}
