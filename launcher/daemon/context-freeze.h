/* SPDX-License-Identifier: Apache-2.0 */
/* A context whose guest stands still: frozen for forensics, thawed by an operator.
 *
 * While it is frozen nothing enters it, leaves it or is asked of it, and no end of a container that
 * was on its way takes the guest along; `context stop` and `context rm -f` end it as it is.
 */
#pragma once

#include "container.h"

gboolean dn_context_is_frozen (DnContext *context);

/* Under the daemon's lock. */
gboolean dn_context_is_frozen_locked (const DnContext *context);

/* FALSE with DN_ERROR_CONFLICT and the remedy. */
gboolean dn_context_check_thawed (DnContext *context, GError **error);

/* As dn_guest_freeze(), with an event. */
gboolean dn_context_freeze (DnContext *context, gboolean is_passing, char **ret_how,
                            GError **error);

/* As dn_guest_thaw(), with an event.  What a guest that was frozen when danchid started runs is
 * found out now; and a guest that nobody is in any more goes. */
gboolean dn_context_thaw (DnContext *context, GError **error);

/* Waits, for an end that must not take the guest along, until the container's context is not
 * frozen. */
void dn_context_wait_thawed (DnContext *context);

/* Takes over a reference.  On a worker: lets a context go on that was frozen only while something
 * was saved, by a danchid that ended; again and again, since libvirt may still be saving. */
void dn_context_thaw_later (gpointer context);

/* For gc: adds a line to @lines for each context that is frozen and not just being saved. */
void dn_context_report_frozen (DnDaemon *daemon, GPtrArray *lines);
