/* SPDX-License-Identifier: Apache-2.0 */
/* A container's end: from the guest's word that its process has ended to its leaving the guest.
 *
 *   exited    the state changes, whoever waits is told, `die` is noted
 *   drained   its output is in the log and with every session: it is deleted in the guest; with
 *             --rm it is removed; the guest of an ephemeral context goes
 *
 * Between the two is the output that nobody has taken yet.  With a session that is as long as its
 * client likes (somebody may read slowly), up to an hour; without one the relay only has to write
 * the log, so ten seconds are plenty.  Whoever starts or removes the container does not wait.
 */
#pragma once

#include "container.h"

#define DN_DRAIN_WITH_SESSION_S 3600
#define DN_DRAIN_S 10

/* What an exit status is when a guest goes under a container. */
#define DN_EXIT_GUEST_GONE 137

/* Under the daemon's lock: the agent says that the first process has ended.  Does not block. */
void dn_container_end (DnContainer *container, const DnMsgExited *exited);

/* Under the daemon's lock: the context's guest is gone, and with it all of its containers. */
void dn_container_end_all (DnContext *context, const char *reason);

/* With op_lock held: takes an ended container out of the guest, whether drained or not. */
void dn_container_leave_guest (DnContainer *container);

/* Makes whoever waits for the container's output give up. */
void dn_container_hurry (DnContainer *container);
