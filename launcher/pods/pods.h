/* SPDX-License-Identifier: Apache-2.0 */
/* The pods of this host: finding them, and their end. */
#pragma once

#include "../daemon/context.h"

/* By the sandbox's id, and by containerd's namespace where that is not NULL.  (transfer full): or
 * NULL with DN_ERROR_NOT_FOUND, or DN_ERROR_CONFLICT where several have it */
DnContext *dn_pods_find (DnDaemon *daemon, const char *namespace_, const char *id, GError **error);

/* Ends and forgets all of it: containers, guest, context.  Blocks. */
void dn_pods_remove (DnContext *context, const char *reason);

/* At the start, after the guests were adopted: those that were not made to their end go, and the
 * others' volumes are looked after from now on. */
void dn_pods_settle (DnDaemon *daemon);

/* Those whose bundle is gone go. @removed: (element-type utf8): what was, for people */
void dn_pods_sweep (DnDaemon *daemon, GPtrArray *removed);
