/* SPDX-License-Identifier: Apache-2.0 */
/* Asking servers of names: one struct for each query that no table and no cache answers.
 *
 *     FREE ─▶ DIALING ─▶ (TCP: SENDING) ─▶ WAITING ─▶ PINNING ─▶ answered, FREE
 *                ▲                            │
 *                └── next try: time is up, it failed, the answer was cut
 *
 * Against forged answers: each try has a socket of its own, from a port that the kernel chooses,
 * connected to the server, and a random id; the question has to come back as it was asked; and one
 * wrong answer does not end the waiting for the right one.
 */
#pragma once

#include "resolver.h"

/* Begins; the answer goes to @origin by dn_server_answer().  Over a limit it is dropped. */
void dn_ask_begin (DnResolver *resolver, const DnQuery *query, DnLists lists,
                   const DnOrigin *origin);

/* Told by the gateway's link.  @result: 0 or -errno; takes ownership of @fd. */
void dn_ask_dialled (DnResolver *resolver, DnAsk *ask, int result, int fd);
void dn_ask_pinned (DnResolver *resolver, DnAsk *ask, int result);

/* Gives all of them up, without answers. */
void dn_ask_clear_all (DnResolver *resolver);
