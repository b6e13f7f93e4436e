/* SPDX-License-Identifier: Apache-2.0 */
/* A scratch disk: where a container's writable root is when it is not in memory.
 *
 * The host attaches an empty disk of this guest's own.  The agent lays dm-crypt over it with a key
 * of 512 bits (AES in XTS mode) from the guest's kernel, which alone has it: it was never on the
 * host, is written nowhere, and goes when the device goes.  So what the host's disk keeps, or a
 * thief of it, a backup, or the next tenant of those blocks reads, is noise.
 *
 * The file system is ext4 without a journal.  The guest has no mke2fs: a small empty one comes with
 * the guest's root (images/scratch.sh) and the kernel lets it grow to the disk's size.
 *
 * Nothing is ever read from such a disk that this guest has not written: what it holds before is
 * overwritten where it matters.
 *
 * Privilege: CAP_SYS_ADMIN and CAP_SYS_RESOURCE in the guest.
 * Source: the kernel's Documentation/admin-guide/device-mapper/dm-crypt.rst; ext4's
 * EXT4_IOC_RESIZE_FS.
 */
#pragma once

#include "disk.h"

/* See template.h. */
#define DN_SCRATCH_TEMPLATE "/etc/scratch.ext4"
/* Its size; the kernel finds the rest. */
#define DN_SCRATCH_TEMPLATE_BLOCKS 512
#define DN_SCRATCH_MIN_BYTES (16 * 1024 * 1024)

typedef struct
{
  uint32_t number; /* 0: there is none */
  char device[64]; /* what is mounted */
} DnScratch;

/**
 * dn_scratch_open:
 *
 * Makes the encrypted device over the disk and a file system on it.
 *
 * Returns: 0, or a negative status with @fault; -ENOENT: the disk is not (yet) there
 */
int dn_scratch_open (DnDisks *disks, const char *serial, DnScratch *ret_scratch, DnFault *fault);

/* Mounts it at @target, relative to the working directory, nosuid and nodev, and lets it grow to
 * its device's size.  0, or -1 with errno. */
int dn_scratch_mount (const DnScratch *scratch, const char *target);

/* The device and its key go, at once or with the last mount. */
void dn_scratch_close (DnScratch *scratch);
