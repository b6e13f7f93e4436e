/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's kernel holds a QEMU to: the control group that it is in, of version 1 or 2, read
 * back.  Who asked for it (libvirt does, for danchid) does not matter here: this is what is.
 *
 * A limit may stand in any of the groups above, and the tightest counts.  The weight is that of the
 * group which is the machine's own ("qemu-..." or "machine-qemu..." in its name).
 *
 * Source: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.
 */
#pragma once

#include <glib.h>

typedef struct
{
  guint version;        /* 1 or 2; 0: not in a group of its own */
  gboolean has_cpu;     /* its group has the controller of processors */
  gboolean has_memory;  /* likewise of memory */
  guint64 weight;       /* shares of version 1, a weight of version 2; 0: not known */
  guint64 quota_us;     /* 0: none */
  guint64 period_us;    /* of quota_us */
  guint64 memory_bytes; /* 0: no limit */
} DnHostGroup;

/**
 * dn_host_group_read:
 * @root: what stands before /proc and /sys; "" for this host
 *
 * FALSE: there is no such process, or nothing of it can be read.
 */
gboolean dn_host_group_read (const char *root, gint pid, DnHostGroup *ret_group);

/**
 * dn_host_group_holds:
 * @qemu_pid: the machine's QEMU
 * @pid: another process that is to be in the same groups
 *
 * Returns: "its guest's"; "another"; "absent" where QEMU has none of its own, or is not there
 */
const char *dn_host_group_holds (const char *root, gint qemu_pid, gint pid);

/* Whether the hierarchy that has the processors' weights is of version 2. */
gboolean dn_host_group_is_unified (const char *root);

/* Of which version the groups are that could hold QEMU's processors and memory; 0: there are none.
 */
guint dn_host_group_version (const char *root);

/* A weight in shares as the host's kernel takes it: version 2 has 100 where version 1 has 1024. */
guint64 dn_host_group_weight (guint64 shares, gboolean is_unified);
