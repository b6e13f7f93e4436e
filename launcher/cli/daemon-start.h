/* SPDX-License-Identifier: Apache-2.0 */
/* danchid on demand, where no service manager keeps it.
 *
 * Only root may start it: it is the one process that holds rights; in session mode the user, by way
 * of danchi-session.  Several danchis at the same
 * moment start one: the first takes a lock file beside the socket, the others wait for it and find
 * the socket there.  Needs: root.
 */
#pragma once

#include <glib.h>

/* Starts danchid for the socket at @path and connects.  Returns: the connection (transfer full), or
 * -1 with DN_ERROR_DENIED (not root) or DN_ERROR_FAILED (danchid's last words). */
int dn_daemon_start (const char *path, GError **error);

/* Connects to @path.  Returns: a socket (transfer full), or -1 with errno. */
int dn_client_dial (const char *path);
