/* SPDX-License-Identifier: Apache-2.0 */
/* A session's way out: pasta, and the host's addresses, which are nobody's to reach.
 *
 * The session has a network namespace of its own, in which danchi-gateway makes guests' taps and
 * rules as it does on a host.  pasta(1) gives that namespace one interface; it runs outside, as the
 * user, and carries connections as the user's own.  It has no list of destinations and needs none:
 * what may not get through meets the rules before it gets there.
 *
 *   169.254.254.2     the session's address; link-local, which no guest may reach whatever its
 * policy 169.254.254.1     the gateway, pasta 169.254.254.3     questions for names: pasta asks the
 * host's first server
 *
 * In a host's own namespace its addresses are known to the rules as the host's.  Here they are made
 * so: each is a `prohibit` route, and follows when the host's change (rtnetlink(7), a socket that
 * was opened outside).
 */
#pragma once

#include <glib.h>

#define DN_UPSTREAM_INTERFACE "danchi0"
#define DN_UPSTREAM_ADDRESS "169.254.254.2"
#define DN_UPSTREAM_GATEWAY "169.254.254.1"
#define DN_UPSTREAM_NAMES "169.254.254.3"
#define DN_UPSTREAM_RESOLV_CONF "# of danchi-session\nnameserver " DN_UPSTREAM_NAMES "\n"

/* The words of pasta's command line, for the namespaces of process @pid. (transfer full) */
char **dn_upstream_words (gint pid);

/* Opens what hears of the host's addresses; call it in the host's network namespace.
 * Returns: a descriptor (transfer full), or -1 with DN_ERROR_FAILED */
int dn_upstream_open (GError **error);

/* The session's own loopback, which a new namespace has down. */
gboolean dn_upstream_loopback (GError **error);

/* Reads what the host has now and makes the session's routes so; in the session's network
 * namespace.
 * @fd: of dn_upstream_open().  Call it again when @fd can be read. */
gboolean dn_upstream_update (int fd, GError **error);
