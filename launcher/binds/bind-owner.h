/* SPDX-License-Identifier: Apache-2.0 */
/* Whose rights a container's binds are looked for with: its maker's, whoever starts it.
 *
 * His ids and groups are those that the kernel said he had when he made it.  Of the groups those
 * count that the host's databases still give him, so that who is taken out of a group loses it with
 * the next start; a maker whom they do not know keeps what he had.
 *
 * Asks the host's databases (nsswitch.conf(5)): may block, not under a lock.
 */
#pragma once

#include "../base/share-order.h"
#include "bind-record.h"

/* Fills uid, gid and groups of @source.  DN_ERROR_LIMIT for more groups than can be passed on. */
gboolean dn_bind_owner_fill (guint uid, const DnBindRecord *record, DnShareSource *source,
                             GError **error);

/* His name; NULL: nobody knows him. (transfer full) */
char *dn_bind_owner_name (guint uid);

/* The home directory of @uid; NULL: not known. (transfer full) */
char *dn_bind_owner_home (guint uid);
