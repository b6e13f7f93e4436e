/* SPDX-License-Identifier: Apache-2.0 */
/* Block devices that the kernel's device mapper makes out of others: of one target each.
 *
 * For init (the guest's root) and the agent.  libc only; no library of LVM's, whose part here would
 * be four calls of ioctl(2).
 * Source: <linux/dm-ioctl.h>; the kernel's Documentation/admin-guide/device-mapper/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DN_MAPPER_CONTROL "/dev/mapper/control"
#define DN_MAPPER_NAME_BYTES 63
#define DN_MAPPER_TARGET_BYTES 15
#define DN_MAPPER_PARAMETERS_BYTES 511
#define DN_MAPPER_MINOR_FREE UINT32_MAX

typedef struct
{
  char name[DN_MAPPER_NAME_BYTES + 1];     /* unique in the guest */
  char target[DN_MAPPER_TARGET_BYTES + 1]; /* "verity" */
  char parameters[DN_MAPPER_PARAMETERS_BYTES + 1];
  bool is_writable;
  uint64_t sectors; /* of 512 bytes: the device's length */
  uint32_t minor;   /* it becomes /dev/dm-MINOR; free until now.  DN_MAPPER_MINOR_FREE: any */
} DnMapperTable;

/**
 * dn_mapper_make:
 * @ret_device: (out) (optional): its number, as in stat(2)
 *
 * Makes the device of @table and brings it up.  The devices that the parameters name must be there.
 * On failure nothing is left of it.  Parameters may hold a key: neither this nor the kernel keeps a
 * copy of their text; the caller wipes its own.
 *
 * Privilege: CAP_SYS_ADMIN.
 * Returns: 0 or -errno: -ENOENT where the kernel has no device mapper, -EBUSY where name or minor
 *   are taken, -EINVAL for a target or parameters that it does not understand
 */
int dn_mapper_make (const DnMapperTable *table, dev_t *ret_device);

/* Takes the device away again, at once or when its last user lets go of it; its name is free then.
 * 0 or -errno. */
int dn_mapper_remove (const char *name);

/**
 * dn_mapper_read:
 * @device: as in stat(2)
 * @ret_table: (out): without a name
 * @ret_status: (out): what the target says of itself, of verity "V" as long as no block was wrong
 *
 * Asks the kernel what a device is made of.
 *
 * Privilege: CAP_SYS_ADMIN.
 * Returns: 0 or -errno: -ENXIO for a device that is none of the mapper's, -E2BIG for more than one
 *   target, -EMSGSIZE for texts that are too long
 */
int dn_mapper_read (dev_t device, DnMapperTable *ret_table, char *ret_status, size_t size);
