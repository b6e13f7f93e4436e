/* SPDX-License-Identifier: Apache-2.0 */
/* What danchid asks of danchi-gateway, by name.  Blocks; safe from any thread. */
#pragma once

#include "../spec/network-policy.h"
#include "gateway-server.h"

/**
 * dn_gateway_guest_from_policy:
 * @group: of the tenant network, or 0
 * @connections: tracked at a time
 *
 * What a guest's network is by its policy: a pure function.  Without egress nothing is reached but
 * the group's members, whatever `allow` says.
 */
void dn_gateway_guest_from_policy (const DnNetworkPolicy *policy, const DnNetworkPool *pool,
                                   guint slot, guint32 group, guint connections,
                                   DnGatewayGuest *ret_guest);

/* Makes a guest's network; VERIFY's lines "NAME\tPROMISED\tOBSERVED" of it. */
gboolean dn_gateway_open (const DnGatewayGuest *guest, GError **error);
char *dn_gateway_verify (const DnGatewayGuest *guest, GError **error);

/* Removes it; nothing there is no error. */
gboolean dn_gateway_close (guint slot, GError **error);

/* Removes what is of no slot that is claimed on this host.  Lines are added to @removed.  Where
 * there is no gateway there is nothing to remove it with: that is only logged. */
void dn_gateway_sweep (GPtrArray *removed);

/* "NAME\tok" or "NAME\tREASON", a line each. (transfer full) */
char *dn_gateway_probe (const DnNetworkPool *pool, GError **error);
