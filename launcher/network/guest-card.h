/* SPDX-License-Identifier: Apache-2.0 */
/* What danchid says to a guest about networks: NETWORK, CARD, CARD_FILE.
 *
 * Every call waits for the guest's answer, up to its deadline.  Errors: DN_ERROR_GUEST.
 */
#pragma once

#include "../guest/guest.h"
#include "../spec/network-policy.h"
#include "registry.h"

/* The guest's own card, as @plan has it, and what its containers may do. */
gboolean dn_guest_card_set_up (DnGuest *guest, const DnNetworkPlan *plan,
                               const DnNetworkPolicy *policy, GError **error);

gboolean dn_guest_card_add (DnGuest *guest, const DnNetworkMember *member, GError **error);

gboolean dn_guest_card_write (DnGuest *guest, const char *container, DnCardFile kind,
                              const char *text, GError **error);
