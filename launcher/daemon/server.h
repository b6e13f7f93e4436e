/* SPDX-License-Identifier: Apache-2.0 */
/* The API's socket: one thread for each client.
 *
 * Who can connect is what the socket's mode and group say: root, and members of danchi.conf's
 * [access] socket_group.  Who calls is what the kernel says of the peer (caller.h), and what that
 * caller may do is decided for each request (gate.h, lookup.h).  At most %DN_SERVER_CLIENTS_MAX
 * connections, of uids other than root together %DN_SERVER_CLIENTS_OF_USERS, and of one of them
 * %DN_SERVER_CLIENTS_OF_ONE_UID, so that nobody keeps root out; one more is told so and closed.
 *
 * A request has to come whole within %DN_SERVER_REQUEST_TIMEOUT_S once it has begun, and an answer
 * has to be taken within the same time.  Between requests a connection may be idle.
 */
#pragma once

#include "daemon.h"

#define DN_SERVER_CLIENTS_MAX 256
#define DN_SERVER_CLIENTS_OF_USERS 192
#define DN_SERVER_CLIENTS_OF_ONE_UID 64
#define DN_SERVER_REQUEST_TIMEOUT_S 30

typedef struct DnServer DnServer;

/**
 * dn_server_listen:
 * @path: of the socket; one that is there is replaced, which danchid's lock makes safe.  When
 *   systemd hands over a socket (sd_listen_fds(3)), that is taken instead
 *
 * Clients can connect from here on and are served after dn_server_run().
 */
DnServer *dn_server_listen (const char *path, GError **error);

/* Lets in whom the daemon's settings name, and accepts clients in the default main context.
 * DN_ERROR_CONFIG when there is no such group. */
gboolean dn_server_run (DnServer *server, DnDaemon *daemon, GError **error);

/* Accepts nobody any more, closes all connections, and waits a moment for requests under way. */
void dn_server_stop (DnServer *server);
