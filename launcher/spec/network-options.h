/* SPDX-License-Identifier: Apache-2.0 */
/* --expose, --add-host, --dns and --dns-search: whether they are what they have to be.
 *
 * Pure.  Source: docker run --add-host, --dns, --dns-search; hosts(5), resolv.conf(5).
 */
#pragma once

#include "network-policy.h"
#include "spec.h"

#define DN_ADD_HOSTS_MAX 64
#define DN_DNS_MAX 3 /* more are not read by the C library */
#define DN_DNS_SEARCH_MAX 6

/* The form of --add-host, --dns, --dns-search and --expose: DN_ERROR_USAGE, _LIMIT. */
gboolean dn_network_options_check (const DnContainerOptions *options, GError **error);

/* Whether a server that --dns names is one that @policy lets its containers ask; else
 * DN_ERROR_DENIED. */
gboolean dn_network_dns_check (char **dns, const DnNetworkPolicy *policy, const char *context,
                               GError **error);
