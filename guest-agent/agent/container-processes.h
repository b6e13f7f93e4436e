/* SPDX-License-Identifier: Apache-2.0 */
/* In which namespace a container's processes are: its own, the pod's (pod-keeper.h), or that of
 * another container of its pod, which is to be debugged.
 *
 * Where it is not its own, the container's first process is no process 1: signals do to it what
 * they do to any process, its orphans go to who is 1, and its end does not end the others.  Those
 * are ended by their cgroup.
 */
#pragma once

#include "container.h"

/* Makes, or finds, the namespace that the container's first process is to be in.  0; -ENOENT:
 * try again soon; or another status with @fault. */
int dn_container_processes_prepare (DnContainer *container, DnFault *fault);

/* A pidfd of a process in that namespace, borrowed; -1: it is its own, or its end has come.
 * @ret_pid: that process, or -1 */
int dn_container_processes_of (const DnContainer *container, pid_t *ret_pid);

/* What it is in words, for VERIFY, from the kernel's view of process @pid: "own", "the pod's" or
 * "container ID's". */
void dn_container_processes_tell (const DnContainer *container, pid_t pid, char *ret_text,
                                  size_t size);
