/* SPDX-License-Identifier: Apache-2.0 */
/* The host's servers of names: /etc/resolv.conf.
 *
 * They are asked from the host's network, so that one of loopback (systemd-resolved's) is fine.
 * Source: resolv.conf(5).
 */
#pragma once

#include <glib.h>

#include "../base/network-rule.h"

/* The first %DN_NETWORK_SERVERS_MAX `nameserver` lines with an address that can be used: none with
 * a zone.  Pure. Returns: how many */
guint dn_host_servers_parse (const char *text, DnNetworkEnd ret_servers[DN_NETWORK_SERVERS_MAX]);

/* Of the host's file; without one 127.0.0.1, as the C library has it. */
guint dn_host_servers_read (DnNetworkEnd ret_servers[DN_NETWORK_SERVERS_MAX]);
