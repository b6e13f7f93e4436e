/* SPDX-License-Identifier: Apache-2.0 */
/* Disks with container roots: found by serial number, mounted once, shared by reference.
 *
 * A disk is an EROFS image made in a disposable guest from a tenant's archive, on a device that the
 * host attached read-only.  It is mounted ro,nosuid,nodev; containers get idmapped clones of that
 * mount (root.h).
 *
 * Privilege: CAP_SYS_ADMIN in the guest.  Source: mount(2), mount_setattr(2); virtio-blk's serial.
 */
#pragma once

#include "fault.h"

#define DN_DISKS_MAX 64

typedef struct
{
  char serial[DN_DISK_SERIAL_BYTES + 1]; /* "": free */
  unsigned references;
  int mount_fd; /* O_PATH, the root of what is mounted */
} DnDisk;

typedef struct DnDisks
{
  const char *run_dir;
  const char *const *test_disks; /* SERIAL=PATH of an image or directory, instead of devices */
  int test_disk_count;
  DnDisk disks[DN_DISKS_MAX];
} DnDisks;

void dn_disks_init (DnDisks *disks, const char *run_dir);

/* Whether a serial is what we give disks: letters, digits, '-', '_' and '.'; it becomes a path. */
bool dn_disk_serial_is_valid (const char *serial);

/* Finds the device with @serial.  Returns 0 with its path in /dev, or -ENOENT: not (yet) there. */
int dn_disk_find (const DnDisks *disks, const char *serial, char *ret_path, size_t size);

/* Mounts the disk, or takes another reference.  -ENOENT with @fault: not (yet) there. */
int dn_disk_take (DnDisks *disks, const char *serial, DnDisk **ret_disk, DnFault *fault);

/* Gives a reference back; with the last one the disk is unmounted.  Accepts NULL. */
void dn_disk_release (DnDisks *disks, DnDisk *disk);
