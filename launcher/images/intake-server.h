/* SPDX-License-Identifier: Apache-2.0 */
/* danchid's line to danchi-intake, which makes the jails (launcher/intake/main.c).
 *
 * danchid gives up the network, and its children's, at its start (daemon/confine.h).  So who shall
 * have one later has to be there before: danchi-intake is started first, as danchid's child.  Under
 * a service manager that keeps danchid from the network altogether it is a service of its own,
 * which listens at a socket of root's.
 */
#pragma once

#include <glib.h>

#include "../base/intake-order.h"

/* Starts danchi-intake; it ends with this process.  One that cannot be started is told when it is
 * needed.  Before danchid's confinement, with one thread. */
void dn_intake_server_start (void);

/* In place of that: the socket (SOCK_SEQPACKET) where it listens. */
void dn_intake_server_use_socket (const char *path);

/* Sends an order with its descriptors, which stay the caller's.  Safe from any thread. */
gboolean dn_intake_server_order (const DnIntakeOrder *order, const DnFdList *fds, GError **error);

/* (transfer full): the path of the program. */
char *dn_intake_server_program (void);
