/* SPDX-License-Identifier: Apache-2.0 */
/* How a program that meets strangers' bytes gives up every right it does not need, for ever: the
 * relay (a guest's), danchi-publish (clients' of published ports).
 *
 * Theory.  Such a program is built on the assumption that one day somebody else's code runs in it.
 * What that code would have then is what is left here: the descriptors it was given (each of one
 * guest) and some thirty system calls on them.  No path can be opened, no socket made, no process
 * started, no memory made executable; the ids are those of this guest's own QEMU, which the guest's
 * owner can be assumed to have anyway.
 *
 *   stage      has                                   has no more
 *   start      root, all of the host's files          -
 *   limits     likewise                               cores, more descriptors, children, big files
 *   root       root in namespaces of its own          any file, network, IPC
 *   ids        the guest's uid and gid                capabilities, groups, the bounding set
 *   filter     the listed system calls                all others: the process is killed
 *
 * Everything privileged is done by danchid (sockets, files) and handed over as descriptors; so this
 * comes first, before a byte of anybody is read.  The order is the argument: each
 * step relies only on those above it.  A step that fails ends the process: there is no half-locked
 * state to come back from.  At last the result is read back from the kernel through a descriptor
 * of /proc/self/status that was opened at the start: success codes are no evidence.
 *
 * Started by an ordinary user (a danchid in session mode) it makes a user namespace first, in which
 * the same steps work; ids and groups stay that user's.
 *
 * Source: namespaces(7), pivot_root(2), capabilities(7), capng_change_id(3), seccomp(2).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct
{
  uid_t uid; /* to end with; neither may be 0 */
  gid_t gid;
  const char *empty_dir;     /* any directory that exists; an empty file system is put there */
  int fd_last;               /* descriptors above it are closed */
  size_t fds_max;            /* RLIMIT_NOFILE */
  uint64_t file_max_bytes;   /* RLIMIT_FSIZE */
  uint64_t memory_max_bytes; /* RLIMIT_AS */
  int (*load_filter) (void); /* the program's allowlist of system calls (allowlist.h) */
} DnLockdown;

/**
 * dn_lockdown_run:
 * @ret_step: (out): on failure, the name of the step
 *
 * Call it once, with one thread, after the last privileged descriptor is there.  After a failure
 * the process must exit.
 *
 * Needs: CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP; or user namespaces.
 *
 * Returns: 0, or -errno (-EPERM: the kernel reports something else than was asked for)
 */
int dn_lockdown_run (const DnLockdown *plan, const char **ret_step);
