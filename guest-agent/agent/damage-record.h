/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says when a block is not what its device's hash tree promises: an event of the
 * device, as it goes to all who listen for devices:
 *
 *   change@/devices/virtual/block/dm-2\0ACTION=change\0...\0DM_VERITY_ERR_BLOCK_NR=0,512\0...
 *
 * 0 is a block of the data, 1 one of the tree; both are counted from the start of the device below.
 * A device tells of its first 100 only.
 *
 * Pure.
 * Source: verity_handle_err() and kobject_uevent_env() in Linux 6.1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct
{
  dev_t device;
  uint64_t block;
} DnDamageRecord;

/* @bytes: @size bytes.  false, and nothing set, for anything else. */
bool dn_damage_record_read (const char *bytes, size_t size, DnDamageRecord *ret_record);
