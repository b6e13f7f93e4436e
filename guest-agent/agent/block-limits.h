/* SPDX-License-Identifier: Apache-2.0 */
/* How much a container may read from and write to disks: io.max of its group, of each disk that is
 * there.
 *
 * A container reaches a disk by the topmost of the devices that stand on each other (the one that
 * checks blocks, or that encrypts them), and its limit stands there: a device below would count
 * the kernel's own threads, and both would count twice.  Disks that a container cannot reach get a
 * limit that nothing meets.
 */
#pragma once

#include "cgroup.h"

typedef struct
{
  uint64_t read_bytes_per_s; /* 0: not given; DN_LIMIT_NONE: none; likewise below */
  uint64_t write_bytes_per_s;
  uint64_t reads_per_s;
  uint64_t writes_per_s;
} DnBlockLimits;

/* -ENOSYS where the kernel has no such limits.  0, or a negative status with @fault. */
int dn_block_limits_set (const DnCgroup *cgroup, const DnBlockLimits *limits, DnFault *fault);

/* Whether no other device stands on the device "MAJOR:MINOR". */
bool dn_block_is_topmost (const char *number);
