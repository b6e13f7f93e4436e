/* SPDX-License-Identifier: Apache-2.0 */
/* From which blocks danchid's guests have their addresses. */
#pragma once

#include "../daemon/daemon.h"
#include "plan.h"

/**
 * dn_network_daemon_pool:
 *
 * By danchi.conf's [network] ipv4_pool and ipv6_prefix as they are when it is first asked; what
 * changes there later is danchid's next start's.  A prefix that no file has is made at random when
 * it is first needed, and stays: STATE/network-prefix.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_CONFIG, _FAILED
 */
gboolean dn_network_daemon_pool (DnDaemon *daemon, DnNetworkPool *ret_pool, GError **error);
