/* SPDX-License-Identifier: Apache-2.0 */
/* Taps, addresses, routes and neighbours, through rtnetlink and /dev/net/tun.
 *
 * A tap is made down and bound to the returned descriptor: whatever fails or ends before
 * dn_link_keep() leaves no tap.  Our routes carry %DN_LINK_PROTOCOL as their origin.
 *
 * Needs: CAP_NET_ADMIN.
 * Source: libnl-route-3; Documentation/networking/tuntap.rst; rtnetlink(7), netdevice(7).
 */
#pragma once

#include <stdbool.h>

#include "fault.h"

#define DN_LINK_PROTOCOL 0x64

typedef struct
{
  struct nl_sock *socket; /* owned */
} DnLinks;

int dn_links_open (DnLinks *links, DnGatewayAnswer *answer);
void dn_links_close (DnLinks *links);

/* A tap with the plan's name and address, down. Returns: a descriptor, or -errno */
int dn_link_make_tap (const DnNetworkPlan *plan, DnGatewayAnswer *answer);

/* From here on the tap outlives the descriptor; its owner alone, and root, may open it. */
int dn_link_keep (int tap_fd, const DnNetworkPlan *plan, DnGatewayAnswer *answer);

/* Up, with the gateway's addresses, the way to the guest and through it to its containers.
 * @has_ipv6: the host has it */
int dn_link_raise (DnLinks *links, const DnNetworkPlan *plan, bool has_ipv6,
                   DnGatewayAnswer *answer);

/* Not there is no error. */
int dn_link_remove (DnLinks *links, const char *name, DnGatewayAnswer *answer);

bool dn_link_exists (const char *name);

/* What of the pool is nobody's is unreachable, in place of the host's default gateway's. */
int dn_link_close_pool (DnLinks *links, const DnNetworkPool *pool, bool has_ipv6,
                        DnGatewayAnswer *answer);
/* No longer, for all pools. */
int dn_link_open_pools (DnLinks *links);

typedef void (*DnLinkFunc) (const char *name, void *data);
int dn_links_each (DnLinks *links, DnLinkFunc each, void *data);

/* For VERIFY (link-facts.c): what a tap and the ways through it are, and what they shall be, in
 * the same words, sorted. */
int dn_link_observe (DnLinks *links, const DnNetworkPlan *plan, char *text, size_t size);
void dn_link_promise (const DnNetworkPlan *plan, bool has_ipv6, char *text, size_t size);
/* Of one without an address. @neighbours: "ADDRESS MAC" each, ends with NULL */
void dn_link_promise_bare (const DnNetworkPlan *plan, uint32_t mtu, const char *const *neighbours,
                           char *text, size_t size);
