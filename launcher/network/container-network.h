/* SPDX-License-Identifier: Apache-2.0 */
/* The part `network` of a container: its card in the guest, what others may reach of it, and the
 * names it knows.
 *
 * Addresses follow from the guest's slot and the container's (plan.h).  Containers of a context
 * without a card of its own, whose file says `containers = yes`, have cards too: their block leads
 * nowhere, so it is the same in each such guest.
 *
 * What is said to the guest: NETWORK before the first container, CARD and CARD_FILE before each
 * one's CREATE, and CARD_FILE to the others of its context when it comes or goes, where these know
 * each other by name.
 */
#pragma once

#include "../daemon/container-part.h"
#include "registry.h"

extern const DnContainerPart dn_container_network_part;

/* For inspect: {"mode", "network", "ipv4_address", ...}. (transfer full) */
JsonObject *dn_container_network_to_json (const DnNetworkMember *member);

/* What danchi verify holds the guest to.  A guest from before networks says nothing of them. */
void dn_container_network_promise (DnContainer *container, DnGuest *guest, JsonObject *spec,
                                   GPtrArray *promises);

/* The guest is gone, and with it what was in it.  May block. */
void dn_container_network_guest_gone (const char *guest_id);

/* The container has another name; the others of its context hear of it. */
void dn_container_network_renamed (DnContainer *container);
