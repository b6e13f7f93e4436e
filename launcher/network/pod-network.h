/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's network, as danchid orders it: the guest takes the place of the card that CNI has made.
 *
 *   dn_pod_network_open()      the pod's network namespace, before anything is made
 *   dn_pod_network_look()      whether a guest can have what is in there
 *   dn_pod_network_open_tap()  the guest's start: DnGuestPlan.open_card (guest-network.c)
 *   dn_pod_network_join()      once QEMU runs: tap and card, then the agent (POD_NETWORK)
 *   dn_pod_network_leave()     at the pod's end; what CNI has taken away already is no error
 *
 * dn_gateway_close() removes a tap that was never joined, as of any guest, and gc finds it by LIST.
 * What was joined is in the pod's namespace, and goes with it at the latest.
 *
 * Blocks; safe from any thread.  docs/pod-network.md.
 */
#pragma once

#include "../guest/guest.h"

/**
 * dn_pod_network_open:
 * @path: of the network namespace, as the sandbox's config.json names it
 *
 * It is only opened: the gateway says what it is.
 *
 * Returns: a descriptor the caller owns, or -1 with DN_ERROR_NOT_FOUND, _FAILED
 */
int dn_pod_network_open (const char *path, GError **error);

/* FALSE with DN_ERROR_DENIED for the host's own network; _FAILED where there is not one card. */
gboolean dn_pod_network_look (int netns_fd, GError **error);

/* As DnGuestPlan.open_card; @data is not used.  Any slot has a tap. */
gboolean dn_pod_network_open_tap (guint slot, gpointer data, GError **error);

/* Joins the tap with the card, and tells the guest, whose first container is still to come.  Once
 * more does no harm. */
gboolean dn_pod_network_join (int netns_fd, DnGuest *guest, GError **error);

/* @path: as above; one that is gone took everything along. */
gboolean dn_pod_network_leave (const char *path, guint slot, GError **error);

/* What is in there, against what dn_pod_network_join() made. (transfer full): lines "NAME PROMISED
 * OBSERVED" with tabs between, or NULL */
char *dn_pod_network_verify (const char *path, DnGuest *guest, GError **error);

/* What the pod's guest is to have by what CNI has made, in the words of verify.h: its card's
 * address, its addresses, and what leads through whom. */
typedef struct
{
  char *card;      /* owned, as all */
  char *addresses; /* "ADDRESS/BITS ..." */
  char *ways;      /* "VIA/BITS ...", of the network that is reached; or "none" */
} DnPodPromise;

void dn_pod_promise_clear (DnPodPromise *promise);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnPodPromise, dn_pod_promise_clear)

gboolean dn_pod_network_promise (const char *path, DnPodPromise *ret_promise, GError **error);

/* Of what the gateway's lines say: pure.  DN_ERROR_FAILED */
gboolean dn_pod_network_promise_parse (const char *lines, DnPodPromise *ret_promise,
                                       GError **error);

/* What the gateway's lines say (gateway/pod-facts.h), as the message for the agent: pure. @records:
 * room for %DN_POD_RECORDS_MAX of them, which @ret_message borrows.  DN_ERROR_FAILED */
gboolean dn_pod_network_parse (const char *lines, guint8 *records, DnMsgPodNetwork *ret_message,
                               GError **error);
