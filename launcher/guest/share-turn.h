/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is to have danchi-share look at the host's file system.
 *
 * Orders of different parties run beside each other, and so do some of one's; more of one's wait
 * here, and only for their own: a guest with many containers, or one whose volume hangs, holds up
 * nobody else.  danchi-share itself has a bound above this (launcher/share/running.h), for those
 * that were given up here and go on there.
 */
#pragma once

#include <glib.h>

#include "../base/share-order.h"

#define DN_SHARE_TURNS_OF_ONE 8
/* As long as an order can take, once more. */
#define DN_SHARE_TURN_TIMEOUT_MS 30000

/**
 * dn_share_turn_take:
 *
 * Waits until @order may go; orders without a source always may.  Safe from any thread.
 *
 * Returns: TRUE, and dn_share_turn_give_back() has to follow; or FALSE with DN_ERROR_FAILED where
 * @timeout_ms have passed
 */
gboolean dn_share_turn_take (const DnShareOrder *order, guint timeout_ms, GError **error);
void dn_share_turn_give_back (const DnShareOrder *order);
