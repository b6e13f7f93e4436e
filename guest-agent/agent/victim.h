/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the kernel ended because memory ran out: from its log to the host.
 *
 * The counter of a container's group (memory.events) says that it happened, this says to whom.
 * Whose process it was is told by its user id, which is in one container's range only.
 *
 * The log is bounded by the kernel and read a bounded number of records at a time; what is written
 * over before it is read is an end without a name.
 *
 * Privilege: guest root reads /dev/kmsg.
 */
#pragma once

#include "agent.h"

/* @test_log: in tests the records come from there, one a packet; else -1.  A guest without the
 * kernel's log is no failure: its victims go unnamed. */
void dn_victim_open (DnAgent *agent, int test_log);

/* Takes what the kernel has said by now. */
void dn_victim_take (DnAgent *agent);

/* Sends the container's last victim, if it was not told yet. */
void dn_victim_tell (DnContainer *container);
