/* SPDX-License-Identifier: Apache-2.0 */
/* Disks with container roots: found by serial number, mounted once, shared by reference.
 *
 * A disk is the layers of an image one after the other, each an EROFS image that a disposable guest
 * made from a tenant's archive, with the hash tree that danchid made over it; the device is one
 * that the host attached read-only.  Each layer is a device of its own whose blocks the kernel
 * checks when they are read (mapper/verity-slice.h): a block that was changed since is EIO and
 * never wrong data, and damage.h tells the host.  Each is mounted ro,nosuid,nodev; containers get
 * idmapped clones of those mounts (root.h).  All containers of an image share devices, mounts and
 * the pages read.
 *
 * A disk without layers is one plain EROFS image, as hosts of before had them.
 *
 * Privilege: CAP_SYS_ADMIN in the guest.  Source: mount(2), mount_setattr(2); virtio-blk's serial.
 */
#pragma once

#include <sys/types.h>

#include "disk-layer.h"
#include "fault.h"

#define DN_DISKS_MAX 64
#define DN_DISK_PATH_BYTES 512

/* A layer that is mounted; the only one of a disk without layers. */
typedef struct
{
  int mount_fd; /* O_PATH, the root of what is mounted; -1: not mounted */
  dev_t device; /* that checks its blocks; 0: none does */
} DnDiskMount;

typedef struct
{
  char serial[DN_DISK_SERIAL_BYTES + 1]; /* "": free */
  unsigned references;
  uint32_t number;     /* of this taking: names of devices that linger are not taken twice */
  DnDiskLayers layers; /* owned */
  DnDiskMount *mounts; /* owned; the lowest first */
  unsigned mount_count;
  /* See damage.h. */
  uint64_t damage_count;
  uint32_t damage_layer; /* the last one's */
  uint64_t damage_block;
  int64_t damage_told_ms; /* 0: not yet */
  bool has_news_of_damage;
} DnDisk;

typedef struct DnDisks
{
  const char *run_dir;
  const char *const *test_disks; /* SERIAL=PATH of an image or directory, instead of devices */
  int test_disk_count;
  uint32_t last_number;
  struct DnAgent *agent; /* who is told of damage, or NULL */
  DnDisk disks[DN_DISKS_MAX];
} DnDisks;

void dn_disks_init (DnDisks *disks, const char *run_dir);

/* Whether a serial is what we give disks: letters, digits, '-', '_' and '.'; it becomes a path. */
bool dn_disk_serial_is_valid (const char *serial);

/* Finds the device with @serial.  Returns 0 with its path in /dev, or -ENOENT: not (yet) there. */
int dn_disk_find (const DnDisks *disks, const char *serial, char *ret_path, size_t size);

/**
 * dn_disk_take:
 * @layers: what the disk consists of; the same for all who share it
 *
 * Mounts the disk, or takes another reference.
 *
 * Returns: 0, or a negative status with @fault; -ENOENT: it is not (yet) there
 */
int dn_disk_take (DnDisks *disks, const char *serial, const DnDiskLayers *layers, DnDisk **ret_disk,
                  DnFault *fault);

/* Where layer @layer of a disk that was taken is mounted. */
void dn_disk_path (const DnDisks *disks, const DnDisk *disk, unsigned layer,
                   char ret_path[DN_DISK_PATH_BYTES]);

/* Gives a reference back; with the last one the disk is unmounted and its devices go.  Accepts
 * NULL. */
void dn_disk_release (DnDisks *disks, DnDisk *disk);
