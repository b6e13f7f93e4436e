/* SPDX-License-Identifier: Apache-2.0 */
/* Orders that are under way: how many, and whose.
 *
 * Each runs in a process of its own beside all others.  One that asks the host's file system for a
 * source may never end: while a file server that is gone holds it, its process cannot even be
 * killed.  So those are counted, for each party and in all, and one too many is refused at once:
 * whoever's source hangs has its own next orders refused and nobody else's, and processes do not
 * pile up.  Orders without a source wait for nothing of that kind and are not counted: what is
 * there can always be taken away.
 */
#pragma once

#include <stdbool.h>

#include "../base/share-order.h"

#define DN_SHARE_RUNNING_OF_ONE_MAX 16
#define DN_SHARE_RUNNING_MAX 512

/* Whether there is room for it; else @answer becomes a refusal. */
bool dn_share_running_has_room (const DnShareOrder *order, DnShareAnswer *answer);

/* One that had room has begun.  @fd: the end of a pipe whose other end its processes alone hold,
 * so that it is closed when the last of them has ended; taken over */
void dn_share_running_add (const DnShareOrder *order, int fd);
