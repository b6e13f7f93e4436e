/* SPDX-License-Identifier: Apache-2.0 */
/* Lets a guest's uid at what QEMU needs and its uid has no right to: POSIX ACL entries for that
 * uid alone, named in the journal, taken back when the guest ends.
 *
 *   /dev/kvm               rw   QEMU opens it itself.  Libvirt makes a /dev of its own for each
 *                               QEMU and copies the node's ACL into it.  The other ways are a group
 *                               (all guests and whoever is in it) or mode 0666 (everybody).
 *   /var/lib/libvirt/qemu  x    to reach the directory that libvirt makes for the domain, for
 *                               instance its master key
 * /dev/vhost-vsock needs nothing: libvirt opens it as root and hands over the descriptor.
 *
 * Privilege: CAP_FOWNER.
 * Source: acl(5).
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_ACCESS_READ = 4,
  DN_ACCESS_WRITE = 2,
  DN_ACCESS_SEARCH = 1,
} DnAccess;

/* Whether @uid (in no group) has these rights on @path already, by mode bits for others. */
gboolean dn_access_is_open (const char *path, guint access);

/* Adds or replaces the entry of @uid.  DN_ERROR_FAILED, naming the path. */
gboolean dn_access_grant (const char *path, guint uid, guint access, GError **error);

/* Removes the entry of @uid; a path or an entry that is not there is no error. */
gboolean dn_access_revoke (const char *path, guint uid, GError **error);

/* Removes every entry whose uid is one of identity.h's range and for which @is_in_use says FALSE.
 * Returns: how many */
guint dn_access_sweep (const char *path, gboolean (*is_in_use) (guint uid));

/* Whether others may search all directories on the way to @path, and read it. Returns the first
 * path where they may not (transfer full), or NULL. */
char *dn_access_find_barrier (const char *path);
