/* SPDX-License-Identifier: Apache-2.0 */
/* The process that keeps a session: two of them, one on each side of its namespaces.
 *
 *   outside   the user's own rights and the host's network: maps the ids, runs pasta, makes sockets
 *             for published ports (outside.h)
 *   inside    root of the session's namespaces: makes its view of the files (veil.h), runs virtlogd
 *             and libvirtd (services.h), keeps the host's addresses out of reach (upstream.h)
 *
 * The inner one ends with the outer; libvirtd and pasta end with them.  Guests, relays and danchid
 * do not: they hold the namespaces, and the next keeper joins those.
 *
 * Lock: RUN/session.lock, held by both.
 */
#pragma once

#include <glib.h>

#include "../common/session-paths.h"

/* Whether a keeper runs. */
gboolean dn_keeper_is_there (const DnSessionPaths *paths);

/* Starts one in the background, for the session's namespaces, or for new ones where there are none.
 * Returns when libvirt answers. */
gboolean dn_keeper_start (const DnSessionPaths *paths, GError **error);

/* Ends the keeper. Returns: FALSE where none runs */
gboolean dn_keeper_end (const DnSessionPaths *paths);
