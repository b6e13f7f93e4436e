/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a guest's identity is still somebody's: what the uids of identity.h's range own.
 *
 * What an earlier guest left must not fall to the next one, so a slot is given out only when its
 * number is found nowhere:
 *
 *   processes     any of the four uids and gids of /proc/PID/status
 *   files         below RUN and STATE, and in /dev/shm (POSIX shared memory)
 *   queues        in /dev/mqueue
 *   System V      shared memory, semaphores, queues: owner and creator, of /proc/sysvipc
 *   sockets       with a path, by that path's owner; of the internet, by /proc/1/net
 *   ACL entries   of /dev/kvm and libvirt's directory
 *
 * An abstract unix socket has no owner that can be read, and lives no longer than the processes
 * that hold it.
 *
 * Privilege: root, to see all of it.  Reads only.
 * Source: proc(5), sysvipc(7), mq_overview(7), shm_overview(7), acl(5).
 */
#pragma once

#include <glib.h>

typedef struct
{
  const char *proc;               /* "/proc" */
  const char *const *directories; /* trees whose files count; ends with NULL */
  const char *const *acls;        /* paths whose ACL entries count; ends with NULL */
} DnIdentityPlaces;

/* Returns: (transfer full) (element-type guint utf8): for each uid of the range that owns anything,
 *   one thing it owns, in words: GUINT_TO_POINTER (uid) → text */
GHashTable *dn_identity_use_find (const DnIdentityPlaces *places);

/* Those of this host. */
GHashTable *dn_identity_use_find_here (void);

/* The uids that an ACL's extended attribute names: pure. @found: called for each */
void dn_identity_use_read_acl (const guint8 *bytes, gsize size,
                               void (*found) (guint uid, gpointer data), gpointer data);
