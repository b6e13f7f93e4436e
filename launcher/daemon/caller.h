/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls: what the kernel says of the process at the other end of a connection.
 *
 * Nothing here comes from a message.  Ids and groups are those that the peer had when it connected
 * (unix(7): SO_PEERCRED, SO_PEERGROUPS): a process that changes its ids afterwards, or hands its
 * connection on, still speaks for those.  `command` is for the record and for people: nothing is
 * decided by it.
 *
 * Filled before the first byte of the connection is read, and fixed from then on.
 * Privilege: CAP_SYS_PTRACE for `command` of other users' processes; without it that is shorter.
 */
#pragma once

#include <glib.h>

#define DN_CALLER_COMMAND_BYTES 64
/* More supplementary groups than the kernel lets a process have (NGROUPS_MAX). */
#define DN_CALLER_GROUPS_MAX 65536

typedef struct
{
  guint uid;
  guint gid;
  guint *groups; /* owned; supplementary ones, maybe none; `gid` may be among them */
  guint n_groups;
  gint pid;                              /* 0: it lives in another pid namespace */
  char command[DN_CALLER_COMMAND_BYTES]; /* "COMM PATH", cleaned; "" where it is not known */
} DnCaller;

/* @socket: a connection's end.  DN_ERROR_FAILED.  @caller needs dn_caller_clear() in any case. */
gboolean dn_caller_read (int socket, DnCaller *caller, GError **error);
void dn_caller_clear (DnCaller *caller);

/* What `command` shows of a process's own word and of the kernel's.  A long path loses its
 * beginning.  Pure. */
void dn_caller_format_command (const char *comm, const char *path,
                               char ret_command[DN_CALLER_COMMAND_BYTES]);
