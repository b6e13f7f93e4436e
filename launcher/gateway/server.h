/* SPDX-License-Identifier: Apache-2.0 */
/* Takes danchid's orders, and gives each a process of its own, one after the other.
 *
 * The process of an order ends with it, and after %DN_SERVE_ORDER_S in any case; the server itself
 * parses fixed fields and touches no library.  It holds no state: everything is in the kernel, so
 * it may end and start again at any time.  A resolver's pins are served by a process that stays as
 * long as the resolver does.
 */
#pragma once

#include <stdbool.h>

#define DN_SERVE_LISTEN_FD 3 /* sd_listen_fds(3) */
#define DN_SERVE_ORDER_S 20

/* @fd: SOCK_SEQPACKET; @is_listening: it is accepted on; @door_fd: dn_door_start()'s.  Serves until
 * the other end is closed, or for ever on a listening socket. Returns: the exit status */
int dn_gateway_serve (int fd, bool is_listening, int door_fd);
