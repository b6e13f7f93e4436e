/* SPDX-License-Identifier: Apache-2.0 */
/* The disks that a container has mounted besides its root: mounts of type "disk" of its config.
 *
 *     {"destination": "/scan", "type": "disk", "source": "SERIAL", "options": ["ro", "noexec"],
 *      "layers": ["START DATA HASH ROOT", ...]}
 *
 * `source` is the disk's serial number; a layer is what DISK_LAYER says of one of the root's: its
 * first block, blocks of data and of the hash tree, in decimal, and the tree's root in hexadecimal,
 * the lowest first.  No layers: one plain EROFS image.
 *
 * The container gets a tree of its own, with its ids, read-only, nosuid and nodev whatever the
 * options say.  The agent makes it, since the root of a user namespace can mount no device, and
 * sends it to the child, which knows where it goes.
 *
 * Privilege: CAP_SYS_ADMIN in the guest.
 */
#pragma once

#include "config.h"
#include "disk.h"

typedef struct
{
  DnDisk
      *disks[DN_CONFIG_DISK_MOUNTS_MAX]; /* taken, in the order of the config's mounts, or NULL */
  DnDiskLayers layers[DN_CONFIG_DISK_MOUNTS_MAX]; /* owned */
} DnDiskMounts;

/* Reads what @config says of them.  0, or -EINVAL or -ENOMEM with @fault; clear it in any case. */
int dn_disk_mounts_read (DnDiskMounts *mounts, const DnConfig *config, DnFault *fault);

/* Takes those that were not taken yet.  0, or as dn_disk_take(): then what is taken stays so. */
int dn_disk_mounts_take (DnDiskMounts *mounts, DnDisks *disks, const DnConfig *config,
                         DnFault *fault);

/* The tree of the @number'th for the child, a detached mount: the caller's; -1 with errno. */
int dn_disk_mounts_tree (const DnDiskMounts *mounts, size_t number, const DnConfigMount *mount,
                         int user_namespace, const DnConfig *config, const char *work_dir);

/* Gives all back. */
void dn_disk_mounts_clear (DnDiskMounts *mounts, DnDisks *disks);
