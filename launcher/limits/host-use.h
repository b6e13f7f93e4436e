/* SPDX-License-Identifier: Apache-2.0 */
/* What processes of the host have used: those of a guest, QEMU and what serves it.
 *
 * Read from the processes and not from their control group: that is not there on every host, and
 * does not hold all of them.  Memory is each process's proportional share, so that what two of them
 * share (virtiofsd has the guest's memory mapped) counts once.  The kernel's own threads that work
 * for a guest (vhost) are nobody's here.
 *
 * A pid that is somebody else's by now gives wrong numbers for once, and nothing else.
 * Privilege: CAP_SYS_PTRACE for the memory of other users' processes; without it that is its
 * resident pages, shared ones too.
 * Source: proc(5), "/proc/PID/stat", "/proc/PID/smaps_rollup", "/proc/PID/statm".
 */
#pragma once

#include <glib.h>

typedef struct
{
  guint64 cpu_user_us;
  guint64 cpu_system_us;
  guint64 memory_bytes;
} DnHostUse;

/**
 * dn_host_use_read:
 * @root: what stands before /proc; "" for this host
 *
 * FALSE: there is no such process.
 */
gboolean dn_host_use_read (const char *root, gint pid, DnHostUse *ret_use);
