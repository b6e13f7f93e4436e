/* SPDX-License-Identifier: Apache-2.0 */
/* The one frame of a secret that is on its way to the guest, in memory that is locked, in no core
 * file, and zeroed as it goes out.
 *
 * The bytes of secrets never enter the queues that all else goes through: those grow, move and are
 * given back as they are.  Here one frame at a time lies between the sender's socket and the
 * guest's, and while it does nothing else is taken for the guest but orders (channel.c), so that
 * it is not overtaken for long.
 *
 * There is one channel in a relay and so one box, in the program's own pages: they are locked
 * before the lockdown, which leaves no call to do so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_STRONGBOX_BYTES 8192

/* Where so much may not be locked the box stays shut, and secrets are refused.  0, or -errno. */
int dn_strongbox_lock (void);
bool dn_strongbox_is_locked (void);

bool dn_strongbox_is_empty (void);
/* Whether part of the frame has gone out: nothing else may go before the rest. */
bool dn_strongbox_is_begun (void);

/* Reads at most @most bytes from @fd, a socket, into a DATA frame on @stream.  The box is empty.
 * Returns: how many; 0 at the end; -errno, -EAGAIN among them, -EPERM where it is not locked. */
int dn_strongbox_fill (int fd, uint32_t stream, size_t most);

/* Sends what @socket takes.  Returns: how many bytes, or -errno. */
int64_t dn_strongbox_flush (int socket);

/* Throws away what is in it. */
void dn_strongbox_clear (void);
