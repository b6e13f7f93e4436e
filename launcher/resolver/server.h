/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's side: queries by UDP and TCP in, answers out.
 *
 * A datagram is answered or dropped, never waited for.  A connection has one query at a time; it is
 * closed when it is idle, sends what is none, or does not take its answer.  With all of them in use
 * the one that has been idle longest makes room.
 *
 * Source: RFC 1035, 4.2; RFC 7766.
 */
#pragma once

#include "resolver.h"

/* Begins to serve; takes ownership of the descriptors, -1: none. Returns 0 or -errno. */
int dn_server_init (DnResolver *resolver, const int datagram_fds[2], const int connection_fds[2]);
void dn_server_clear (DnResolver *resolver);

/* Sends @reply, if who asked is still there. @age_s: as dn_reply_pack(). */
void dn_server_answer (DnResolver *resolver, const DnOrigin *origin, const DnQuery *query,
                       const DnReply *reply, uint32_t age_s);

/* There will be no answer. */
void dn_server_give_up (DnResolver *resolver, const DnOrigin *origin);
