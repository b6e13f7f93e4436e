/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "autofd.h"
#include "template.h"

#define KEY_BYTES 64
#define SECTOR_BYTES 512
/* Not in a header for programs: ext4.h of the kernel's. */
#define EXT4_IOC_RESIZE_FS _IOW ('f', 16, __u64)

static void
make_name (uint32_t number, char *ret_name, size_t size)
{
  (void) snprintf (ret_name, size, "scratch.%u", number);
}

/* The key is in these two texts and nowhere else in this process; the mapper wipes what it sends.
 */
static int
make_table (DnMapperTable *table, dev_t disk)
{
  uint8_t key[KEY_BYTES];
  char text[2 * KEY_BYTES + 1];
  bool is_made = getrandom (key, sizeof key, 0) == sizeof key;

  for (size_t i = 0; is_made && i < sizeof key; i++)
    (void) snprintf (text + 2 * i, sizeof text - 2 * i, "%02x", key[i]);
  if (is_made)
    (void) snprintf (table->parameters, sizeof table->parameters, "aes-xts-plain64 %s 0 %u:%u 0",
                     text, major (disk), minor (disk));
  explicit_bzero (key, sizeof key);
  explicit_bzero (text, sizeof text);
  return is_made ? 0 : -EIO;
}

static int
make_device (uint32_t number, dev_t disk, uint64_t bytes, DnScratch *scratch)
{
  DnMapperTable table = { .target = "crypt",
                          .is_writable = true,
                          .sectors = bytes / SECTOR_BYTES,
                          .minor = DN_MAPPER_MINOR_FREE };
  dev_t device;
  int r = make_table (&table, disk);

  make_name (number, table.name, sizeof table.name);
  if (r == 0)
    r = dn_mapper_make (&table, &device);
  explicit_bzero (&table, sizeof table);
  if (r < 0)
    return r;
  scratch->number = number;
  (void) snprintf (scratch->device, sizeof scratch->device, "/dev/dm-%u", minor (device));
  return 0;
}

static int
format (const char *path)
{
  const DnTemplate template
      = { .path = DN_SCRATCH_TEMPLATE, .blocks = DN_SCRATCH_TEMPLATE_BLOCKS, .has_no_zero = true };
  dn_autofd int device = open (path, O_RDWR | O_CLOEXEC);

  return device < 0 ? -errno : dn_template_write (device, &template);
}

int
dn_scratch_open (DnDisks *disks, const char *serial, DnScratch *ret_scratch, DnFault *fault)
{
  DnScratch scratch = { 0 };
  char path[256];
  struct stat status;
  uint64_t bytes;
  int r;

  if (dn_disk_find (disks, serial, path, sizeof path) < 0)
    return dn_fault_set (fault, -ENOENT, "scratch disk '%s': is not in this guest", serial);
  {
    dn_autofd int fd = open (path, O_RDWR | O_CLOEXEC);

    /* A disk that is just being plugged in has its name a moment before it can be opened (ENXIO).
     */
    if (fd < 0 || fstat (fd, &status) < 0 || ioctl (fd, BLKGETSIZE64, &bytes) < 0)
      {
        (void) dn_fault_set_errno (fault, "scratch disk '%s'", serial);
        return fault->status = fault->status == -ENXIO ? -ENOENT : fault->status;
      }
  }
  if (bytes < DN_SCRATCH_MIN_BYTES)
    return dn_fault_set (fault, -EINVAL, "scratch disk '%s': has only %" PRIu64 " bytes", serial,
                         bytes);
  r = make_device (++disks->last_number, status.st_rdev, bytes, &scratch);
  if (r < 0)
    return dn_fault_set (fault, r == -ENOENT ? -EIO : r, "scratch disk '%s': encrypt it: %s",
                         serial, strerror (-r));
  r = format (scratch.device);
  if (r < 0)
    {
      dn_scratch_close (&scratch);
      return dn_fault_set (fault, r == -ENOENT ? -EIO : r,
                           "scratch disk '%s': make its file system: %s", serial, strerror (-r));
    }
  *ret_scratch = scratch;
  return 0;
}

int
dn_scratch_mount (const DnScratch *scratch, const char *target)
{
  dn_autofd int device = open (scratch->device, O_RDONLY | O_CLOEXEC);
  dn_autofd int top = -1;
  uint64_t bytes;
  __u64 blocks;

  if (device < 0 || ioctl (device, BLKGETSIZE64, &bytes) < 0
      || mount (scratch->device, target, "ext4", MS_NOSUID | MS_NODEV, "noinit_itable") < 0)
    return -1;
  blocks = bytes / DN_TEMPLATE_BLOCK_BYTES;
  top = open (target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (top < 0 || ioctl (top, EXT4_IOC_RESIZE_FS, &blocks) < 0)
    return -1;
  return fchmod (top, 0700);
}

void
dn_scratch_close (DnScratch *scratch)
{
  char name[DN_MAPPER_NAME_BYTES + 1];

  if (scratch->number == 0)
    return;
  make_name (scratch->number, name, sizeof name);
  (void) dn_mapper_remove (name);
  *scratch = (DnScratch){ 0 };
}
