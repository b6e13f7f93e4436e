/* SPDX-License-Identifier: Apache-2.0 */
/* The listening sockets in all containers, asked of all guests at once.
 *
 * Each guest is asked on a thread of its own; after the deadline those that have not answered are
 * left to themselves, and their containers' sockets are not known.  So a guest that hangs costs the
 * deadline once, however many hang.
 */
#pragma once

#include "container.h"

typedef struct DnListeners DnListeners;

/* Asks every guest that runs. (transfer full) */
DnListeners *dn_listeners_ask (DnDaemon *daemon, guint timeout_ms);
void dn_listeners_free (DnListeners *listeners);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnListeners, dn_listeners_free)

/* Adds "listeners" (a list, or null), "listeners_left_out" (how many found no room, at least) and
 * "listeners_error" (null, or why it is not known) of a container, which has none while it does not
 * run. */
void dn_listeners_add_to (const DnListeners *listeners, DnContainer *container, gboolean is_running,
                          JsonObject *object);
