/* SPDX-License-Identifier: Apache-2.0 */
/* The part `names` of a container: its guest has a resolver, where its network has names, before it
 * runs; and resolvers hear of who comes and goes.
 */
#pragma once

#include "../daemon/container-part.h"

extern const DnContainerPart dn_container_resolver_part;

/* Has resolvers told of members of networks: once, before the first change. */
void dn_container_resolver_watch (void);

/* Whether it is to have one. */
gboolean dn_guest_has_resolver (const char *guest_id);

/* As dn_resolver_link_to_json(), of a guest's; NULL: it has none. (transfer full) */
JsonObject *dn_guest_resolver_to_json (const char *guest_id);
