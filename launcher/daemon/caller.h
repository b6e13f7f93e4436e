/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls: what the kernel says of the process at the other end of a connection.
 *
 * Nothing here comes from a message.  Ids and groups are those that the peer had when it connected
 * (unix(7): SO_PEERCRED, SO_PEERGROUPS): a process that changes its ids afterwards, or hands its
 * connection on, still speaks for those.  `command` and `login_uid` are for the record and for
 * people: nothing is decided by them.
 *
 * Filled before the first byte of the connection is read, and fixed from then on.
 * Privilege: CAP_SYS_PTRACE for `command` of other users' processes; without it that is shorter.
 */
#pragma once

#include "../spec/access.h"

#define DN_CALLER_COMMAND_BYTES 64
/* More supplementary groups than the kernel lets a process have (NGROUPS_MAX). */
#define DN_CALLER_GROUPS_MAX 65536
#define DN_CALLER_NO_LOGIN G_MAXUINT32

typedef struct
{
  guint uid;
  guint gid;
  guint *groups; /* owned; supplementary ones, maybe none; `gid` may be among them */
  guint n_groups;
  guint login_uid; /* who logged in, before su or sudo; or DN_CALLER_NO_LOGIN */
  gint pid;        /* 0: it lives in another pid namespace */
  char command[DN_CALLER_COMMAND_BYTES]; /* "COMM PATH", cleaned; "" where it is not known */
  /* By dn_caller_name(); owned. */
  char *user;         /* NULL: the host has no name for it */
  char *group;        /* likewise */
  char **group_names; /* of `groups`; "" for one without a name; NULL before */
} DnCaller;

/* @socket: a connection's end.  DN_ERROR_FAILED.  @caller needs dn_caller_clear() in any case. */
gboolean dn_caller_read (int socket, DnCaller *caller, GError **error);
void dn_caller_clear (DnCaller *caller);

/* Asks the host's databases (nsswitch.conf(5)) for the names of the caller's ids, anew each time:
 * rules name users and groups by them.  May block; not under a lock.  Nothing is asked for root,
 * who needs no rule. */
void dn_caller_name (DnCaller *caller);

/* root, or whom danchid itself runs as. */
gboolean dn_caller_is_root (const DnCaller *caller);

/* What decisions are made by.  Borrows from @caller. */
DnPrincipal dn_caller_principal (const DnCaller *caller);

/* What `command` shows of a process's own word and of the kernel's.  A long path loses its
 * beginning.  Pure. */
void dn_caller_format_command (const char *comm, const char *path,
                               char ret_command[DN_CALLER_COMMAND_BYTES]);
