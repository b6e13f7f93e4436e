/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver's end of the control socket: danchid's tables in, numbers out (base/resolver.def).
 *
 * One connection at a time, from the owner's uid alone (SO_PEERCRED); the newest wins.  What is
 * malformed ends the connection; the table that holds goes on to hold.
 */
#pragma once

#include "resolver.h"

/* Takes ownership of @listen_fd. Returns 0 or -errno. */
int dn_control_init (DnResolver *resolver, int listen_fd, uid_t owner_uid);
/* Asks danchid, if it is there, for another line to the gateway. */
void dn_control_want_gateway (DnResolver *resolver);

void dn_control_clear (DnResolver *resolver);
