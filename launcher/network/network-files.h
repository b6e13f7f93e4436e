/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a container's /etc/hosts and /etc/resolv.conf.
 *
 * Names are the tenant's: those that could be anything but a name were refused when they came
 * (names.h, network-options.h), so that none can add a line of its own.
 *
 * Pure.  Source: hosts(5), resolv.conf(5); docker run --add-host, --dns, --dns-search.
 */
#pragma once

#include "../spec/spec.h"
#include "registry.h"

/**
 * dn_network_hosts:
 * @hostname: of the container, in the file's words: its own address has that name and @name
 * @own: NULL: it has no card, and its own address is a loopback's
 * @others: (element-type DnNetworkMember): whose names it knows
 *
 * Cut before the first line that would not fit into DN_CARD_FILE_BYTES. (transfer full)
 */
char *dn_network_hosts (const char *hostname, const char *name, char **add_hosts,
                        const DnNetworkMember *own, const GPtrArray *others);

/* @has_resolver: the gateway of @own answers.  (transfer full) */
char *dn_network_resolv_conf (const DnContainerOptions *options, const DnNetworkMember *own,
                              gboolean has_resolver);

/**
 * dn_network_ports:
 * @exposed: an image's own words, which decide nothing: what is no port is passed over
 *
 * Of all that a container exposes (image, --expose, --publish) the ranges that cover it, in order.
 * Returns: (transfer full) (element-type DnCardPort); or NULL with DN_ERROR_LIMIT for more than
 * DN_CARD_PORTS_MAX
 */
GArray *dn_network_ports (char **exposed, const DnContainerOptions *options, GError **error);

/* "80/tcp", "8000-8010/udp". (transfer full) */
char *dn_network_port_format (const DnCardPort *port);
