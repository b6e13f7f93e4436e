/* SPDX-License-Identifier: Apache-2.0 */
/* Why a container's system call was refused: the guest kernel's records of it.
 *
 * Filters are loaded so that the kernel records what they refuse (SECCOMP_FILTER_FLAG_LOG); nothing
 * but the kernel stands in a call's way, and nobody waits for the agent.  The agent is the guest's
 * audit daemon: records come to its netlink socket and not to the console.
 *
 * A flood is the flooder's own cost.  The kernel hands on DN_AUDIT_RATE records a second for the
 * whole guest and drops the others where they are made; it holds back no process for the queue's
 * sake.  Whose record it is, is told by the user id, which is in one container's range only: the
 * process itself may be gone by then.
 *
 * Privilege: CAP_AUDIT_CONTROL in the guest's first user and pid namespaces.
 * Source: audit_receive_msg() in Linux 6.1, netlink(7).
 */
#pragma once

#include "fault.h"
#include "loop.h"

#define DN_AUDIT_RATE 100
#define DN_AUDIT_QUEUE 256 /* records in the kernel */

struct DnAgent;
struct DnContainer;

/* Begins to take records.  A kernel without auditing is no failure: its refusals go unexplained,
 * and the console says so.  @test_socket: in tests the records come from there, else -1. */
int dn_audit_open (struct DnAgent *agent, int test_socket, DnFault *fault);

/* Takes the records that are there now, and sends what is due of @container's at once: before its
 * end is told. */
void dn_audit_hurry (struct DnContainer *container);

/* Sends everything again that is known: to a host that may know nothing. */
void dn_audit_tell_all (struct DnAgent *agent);

/* The timer of a container's. */
void dn_audit_tell_due (DnTimer *timer);
