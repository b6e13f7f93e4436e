/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that are left to a resolver; any other kills it.
 *
 * It makes no socket and connects none: those to servers come connected from the gateway.  A
 * datagram to an address of its own choice leaves only by the two sockets that are bound to the
 * guest's tap, whose numbers no other socket can come to have, since they cannot be closed.
 */
#pragma once

/* Needs no_new_privs. Returns 0 or -errno. */
int dn_resolver_filter_load (void);
