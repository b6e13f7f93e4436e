/* SPDX-License-Identifier: Apache-2.0 */
/* What `danchi verify` and `danchi doctor` ask of the gateway. */
#pragma once

#include "../verify/facts.h"
#include "../verify/promise.h"
#include "guest-network.h"

/**
 * dn_network_verify:
 *
 * The host's side of a guest's network, promised and observed: "gateway.tap", "gateway.settings",
 * "gateway.rules.*".  The gateway compares, and the kernel is what it asks
 * (gateway/order-verify.c). A guest without a card: nothing is added.  FALSE: it could not be
 * asked; then the promises are there and the facts are not.
 */
gboolean dn_network_verify (DnContext *context, DnGuest *guest, GPtrArray *promises,
                            DnVerifyFacts *facts, GError **error);

/* Adds checks: that the gateway answers, that the kernel takes its rules, that nothing else drops
 * what guests send, that nobody else has the pool's addresses. */
void dn_network_add_checks (DnDaemon *daemon, JsonArray *checks);
