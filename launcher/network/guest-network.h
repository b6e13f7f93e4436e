/* SPDX-License-Identifier: Apache-2.0 */
/* A context's guest and the network: what its start needs, and which tenant network it is in.
 *
 * The gateway's rules name a tenant network by a number.  It is in the guest's journal entry, so
 * that a danchid that starts anew keeps it: dn_guest_network_adopt() before any container is taken
 * over.
 */
#pragma once

#include "../daemon/context.h"
#include "../guest/guest.h"
#include "gateway.h"

/* Fills the plan's card fields by the context's definition.  Takes the daemon's lock.  FALSE with
 * DN_ERROR_CONFIG, _FAILED. */
gboolean dn_guest_network_plan (DnContext *context, DnGuestPlan *plan, GError **error);

/* A guest of the context's that was taken over. */
void dn_guest_network_adopt (DnContext *context, DnGuest *guest);

/* It is gone, or was never there. */
void dn_guest_network_gone (const char *guest_id);

/* What was ordered for the running guest. Takes the daemon's lock. FALSE: it has no card. */
gboolean dn_guest_network_get (DnContext *context, DnGuest *guest, DnGatewayGuest *ret_guest,
                               GError **error);

/* Has the gateway know which ports members of tenant networks reach: once, at the start. */
void dn_guest_network_watch (DnDaemon *daemon);
