/* SPDX-License-Identifier: Apache-2.0 */
/* The jail of danchi-intake: how a process gives up everything but one directory.
 *
 * Theory.  What comes from outside (a registry's answers, manifests, signatures, a scanner's words)
 * has to be read by somebody, and neither danchid nor danchi does.  Who does is built on the
 * assumption that such bytes will one day run code in it; what that code would have then is what is
 * left here:
 *
 *   uid, gid      of this run alone, handed out for it and free again afterwards; no groups
 *   capabilities  none, in no set; no_new_privs; no set-user-ID file could give any
 *   files         a root of its own, read-only: libraries, one or two programs, certificates, names
 *                 of hosts, and for pulls the settings of registries.  No /proc, no /sys, no /run,
 *                 no /home; /dev/null and /dev/urandom
 *   to write      the run's staging directory, and a tmpfs of a few hundred KiB
 *   processes     a pid namespace in which it is process 1: its end is the end of all
 *   network       none; the host's for the task that fetches
 *   IPC, names    namespaces of its own
 *   system calls  an allowlist; sockets of the internet for the task that fetches alone
 *   amounts       memory, files' sizes, descriptors, processes by rlimit; no core files
 *
 * The first process (the keeper) stays outside of the pid namespace to end it when danchid lets go
 * of the lifeline, with the jail's ids and in its root.  The result is read back from the kernel.
 *
 * Source: namespaces(7), pivot_root(2), capabilities(7), prctl(2), seccomp(2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DN_JAIL_STAGING "/work" /* where the task finds its staging directory */
#define DN_JAIL_PRIVATE "/tmp"  /* its tmpfs */

typedef struct
{
  uid_t uid; /* to end with; neither may be 0 */
  gid_t gid;
  bool has_network;            /* the host's; false: an empty one */
  int staging_fd;              /* the directory that becomes DN_JAIL_STAGING */
  int lifeline_fd;             /* its hanging up ends the jail */
  const char *const *programs; /* paths below /usr/bin that are there; ends with NULL */
  const char *containers;      /* becomes /etc/containers, where there is a network; may be NULL */
  uint64_t memory_bytes;       /* writable private memory of one process */
  uint64_t file_bytes;         /* the largest file */
} DnJail;

/**
 * dn_jail_run:
 * @main: runs in the jail, as process 1 of its namespace; its result is the exit status
 * @failed: called where the jail could not be made: the step, and -errno
 *
 * In a process that was forked for it, with one thread, whose only other descriptors are the
 * task's: they must have been made ready before.  Does not return.
 *
 * Needs: root with CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP.
 */
_Noreturn void dn_jail_run (const DnJail *jail, int (*main) (void *data),
                            void (*failed) (const char *step, int code, void *data), void *data);

/* The parts, in files of their own; each returns 0 or -errno. */

/* jail-root.c: the root file system, entered.  In a mount namespace of its own. */
int dn_jail_enter_root (const DnJail *jail);

/* jail-filter.c: needs no_new_privs. */
int dn_jail_load_filter (bool has_network);
