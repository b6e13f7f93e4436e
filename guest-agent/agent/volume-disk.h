/* SPDX-License-Identifier: Apache-2.0 */
/* A volume's disk: from a device that was just plugged in to a mounted file system, and back.
 *
 * What is here may block for as long as a disk does, so it runs in a process of its own (volume.h)
 * and not in the agent's loop.
 *
 * The disk holds an ext4 with a journal.  In its top directory:
 *
 *   data/   what containers see; so neither lost+found nor anything of ours is in their way
 *   new/    what an image has at a volume's place, being copied: becomes data/ by rename(2) when it
 *           is whole and on the disk.  What a crash left of it is removed at the next opening.
 *
 * A new disk is formatted when the host says that it is new, and only when its first block holds
 * nothing: the superblock is written last (template.h), so a formatting that was broken off is done
 * again, and a disk that ever held data is never formatted.  A disk that is not new and holds no
 * file system is damaged.  The file system is small at first; growing it to the disk's size is in
 * its journal, and done again where that was broken off.
 *
 * Encrypted: dm-crypt, AES in XTS mode with a key of 512 bits, which is the volume's own: the first
 * one that comes for a new disk.  Sectors are numbered from a place that is each volume's own, so
 * that disks with one key do not show where they are alike.  Whether a key is the right one the
 * superblock says: what another key makes of it is noise.  Freed blocks go back to the host, of an
 * encrypted disk too: how much of it is in use is to be seen there in any case.
 *
 * A foreign one is an ext4 that others made, whatever its features: it is mounted as it is, and all
 * of it is the volume.  What it holds may be hostile, and is this guest's own to be harmed by.
 *
 * Privilege: CAP_SYS_ADMIN, CAP_SYS_RESOURCE and CAP_MKNOD in the guest.
 * Source: ext4(5); the kernel's dm-crypt.rst.
 */
#pragma once

#include "disk.h"

#define DN_VOLUME_TEMPLATE "/etc/volume.ext4"
#define DN_VOLUME_TEMPLATE_BLOCKS 6144
#define DN_VOLUME_DATA "data"
#define DN_VOLUME_FILLING "new"
#define DN_VOLUME_KEY_BYTES 64

typedef struct
{
  const char *name; /* as people know it: for errors */
  const char *disk; /* the serial number */
  const char *target;
  const char *template; /* what a new one is made of */
  char crypt_name[64];  /* of the encrypting device */
  bool is_readonly;
  bool is_new;
  bool is_encrypted;
  bool is_foreign;       /* nothing of ours is in it: neither formatted nor grown */
  uint64_t first_sector; /* of the numbers that make each sector's noise different */
  uint8_t key[DN_VOLUME_KEY_BYTES];
} DnVolumeDisk;

/* Waits for the disk, at most 15 s, and mounts it at `target`, nosuid and nodev.  On failure
 * nothing of it is left.  0 or a negative status with @fault. */
int dn_volume_disk_open (const DnDisks *disks, const DnVolumeDisk *disk, DnFault *fault);

/* Removes what was left of a filling, of the file system at @target. */
void dn_volume_disk_purge (const char *target);

/* Writes what is not on the disk yet and takes the mount away; returns when nobody uses the device
 * any more, or after 20 s with -EBUSY. */
int dn_volume_disk_close (const DnVolumeDisk *disk, DnFault *fault);
