/* SPDX-License-Identifier: Apache-2.0 */
/* The first process of the namespace in which a pod's containers have their processes together,
 * where they ask for that: danchi-keeper (guest-agent/keeper/main.c), which reaps and nothing else.
 *
 * It is made with the first such container, and with it what a pod has in common (pod.h) where that
 * is not there yet.  It is confined as a container's program is and then some: an id of the pod's
 * that is nobody's, no capability, no_new_privs, a filter of waiting alone, an empty read-only
 * root, a cgroup of its own; and the agent reads that back before any container joins it.  It keeps
 * the agent's exemption from the OOM killer, as nothing that a container does makes it larger.
 *
 * It stays as long as the guest.  When it ends nevertheless, the kernel ends all processes of its
 * namespace, and the host is told of each container as of any that was killed; the next container
 * that asks gets a new one.
 *
 * Privilege: CAP_SYS_ADMIN in the guest.
 */
#pragma once

#include "cgroup.h"
#include "loop.h"

#define DN_POD_KEEPER_ID 65534

struct DnAgent;

typedef struct
{
  DnWatch watch; /* a pidfd; fd -1: there is none */
  pid_t pid;
  DnCgroup cgroup;
} DnPodKeeper;

void dn_pod_keeper_init (struct DnAgent *agent);

/* Makes it, with the ids of @config, where there is none.  0; -ENOENT: the one before is still on
 * its way out; or another status with @fault. */
int dn_pod_keeper_need (struct DnAgent *agent, const DnConfig *config, DnFault *fault);
