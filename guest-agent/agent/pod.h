/* SPDX-License-Identifier: Apache-2.0 */
/* The pod that a guest is, where it is one: what its containers have in common.
 *
 * Containers of a pod share a network, hostname and System V and POSIX objects, and the user
 * namespace that those belong to: a right over the network is worth something only to who has it in
 * the namespace that owns it.  Mounts and cgroups are each container's own; so are processes, where
 * the pod or the container does not say otherwise (container-processes.h).
 *
 * The first container makes all of them, as any container does, and the agent keeps these four; the
 * later ones are made in them by a process in between, which goes there and has nothing else to do.
 * They stay as long as the guest, whatever becomes of the first container.
 *
 * Privilege: CAP_SYS_ADMIN in the guest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fault.h"

#define DN_POD_NAMESPACES 4 /* user, ipc, uts, net */
#define DN_POD_NETWORK 3

typedef struct
{
  bool is_made;
  int namespaces[DN_POD_NAMESPACES]; /* owned */
  uint32_t first_uid;                /* of its user namespace */
  uint32_t first_gid;
  uint32_t id_count;
} DnPod;

void dn_pod_init (DnPod *pod);

/* Keeps the namespaces of @pid, the first container's. */
int dn_pod_take (DnPod *pod, pid_t pid, DnFault *fault);

/* Makes a process in the pod's namespaces, and in a new one for mounts, in @cgroup_fd: the agent's
 * child, as by fork(2).  @processes: a pidfd of a process whose pid namespace it is in; -1: in a
 * new one.  Returns: 0 in the child; its pid with @ret_pidfd; -1 with errno
 */
pid_t dn_pod_clone (const DnPod *pod, int cgroup_fd, int processes, int *ret_pidfd);
