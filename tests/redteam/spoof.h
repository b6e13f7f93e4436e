/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a guest's root that lie about who sent them, or say what no guest may say.  Test-only:
 * linked into the agent of the red team's guests (hook.c). */
#pragma once

/* What each forged frame has in it, and what the honest one has that is sent before and after them:
 * the runner on the host looks for both. */
#define DN_SPOOF_MARK "redteam-spoof"
#define DN_SPOOF_HONEST "redteam-honest"

/* Takes away all rules of the guest's own first: what is left is the host.  Needs CAP_NET_ADMIN.
 * Returns: 0 or -errno.  Source: Linux, Documentation/networking/nftables (netlink batches). */
int dn_spoof_flush_rules (void);

/* Sends all of them from the guest's own card.  Needs CAP_NET_RAW.  Returns: how many forged ones
 * were sent, or -errno */
int dn_spoof_send (void);
