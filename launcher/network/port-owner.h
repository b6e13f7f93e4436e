/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a port of the host, for the error that says so.
 *
 * Read in the network namespace of process 1, which is the host's: danchid has none of its own.
 * Privilege: CAP_SYS_PTRACE and CAP_DAC_OVERRIDE for descriptors of others' processes.
 * Source: proc_pid_net(5), proc_pid_fd(5).
 */
#pragma once

#include <glib.h>

typedef struct
{
  gint pid; /* 0: not found */
  char name[64];
} DnPortOwner;

/* What is looked for. */
typedef struct
{
  guint16 port;
  gboolean is_udp;
  gboolean is_everywhere; /* only at 0.0.0.0 or ::, where it is in everybody's way */
} DnPortSought;

/* Pure: the inode of the first socket in @table, the text of /proc/net/tcp or a like, that listens
 * at (TCP) or is bound to (UDP) the port; 0 for none. */
guint64 dn_port_owner_find_inode (const char *table, const DnPortSought *sought);

/* Whether a process was found: there may be none, or it was gone before it could be seen. */
gboolean dn_port_owner_find (const DnPortSought *sought, DnPortOwner *ret_owner);
