/* SPDX-License-Identifier: Apache-2.0 */
/* LISTENERS: the sockets on which containers wait for others, and which process has each.
 *
 * An inquiry (inquiry.h).  Each container's network namespace is looked at through its first
 * process, the sockets' owners are found among the descriptors of the processes in its cgroup.
 * Where a container has the guest's own network namespace, only sockets that its processes have
 * are its own.
 */
#pragma once

#include "container.h"

#define DN_LISTENERS_DEADLINE_MS 4500
/* Processes of one container, and descriptors of all of them, among which owners are looked for;
 * sockets of others are told without one. */
#define DN_LISTENERS_PROCESSES_MAX 1024
#define DN_LISTENERS_DESCRIPTORS_MAX 65536

/* Answers with LISTENER_ENTRYs and a REPLY.  @container: NULL for all. */
void dn_listeners_start (DnAgent *agent, DnRequest request, DnContainer *container);
