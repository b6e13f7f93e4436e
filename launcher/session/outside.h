/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the host's network, for ports that containers publish.
 *
 * What a session listens at in its own network nobody else reaches.  So those sockets are made out
 * here, where the user could listen anyway, and handed to danchid: RUN/outside.sock.  A request is
 * one DnOutsideWish, its answer an i32 (0 or -errno) with the descriptor.
 *
 * Only the user's own processes are answered, by SO_PEERCRED: of a session that is danchid, and no
 * guest's id.
 */
#pragma once

#include <glib.h>

#include "../base/outside-wish.h"

/* Listens at @path, in a directory of the user's.  Returns: a descriptor (transfer full), or -1 */
int dn_outside_listen (const char *path, GError **error);

/* Takes one connection of @fd and answers it. */
void dn_outside_serve (int fd);
