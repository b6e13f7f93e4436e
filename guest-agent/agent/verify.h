/* SPDX-License-Identifier: Apache-2.0 */
/* VERIFY: what the kernel reports of a container or of the guest, as facts (protocol/verify.h).
 *
 * It is an inquiry (inquiry.h): a child of the agent's, the verifier, looks.  The verifier judges
 * nothing: what was promised is compared by the host.
 *
 * Inside, it is asked by a process that joins the container exactly as one of exec does (child.h)
 * and then makes attempts that must be refused (verify-attempts.c) in place of execve(2).
 */
#pragma once

#include "container.h"
#include "facts.h"

#define DN_VERIFY_DEADLINE_MS 30000
/* In one look at a container; what goes beyond is left out, and the facts are not complete. */
#define DN_VERIFY_PROCESSES_MAX 4096
#define DN_VERIFY_THREADS_MAX 8192
#define DN_VERIFY_DESCRIPTORS_MAX 65536 /* those that threads share are counted once */

/* Answers with FACTs and a REPLY.  @container: NULL for the guest. */
void dn_verify_start (DnAgent *agent, DnRequest request, DnContainer *container);

/* The verifier's work, by file; in its own process, with the guest root's rights.  What cannot be
 * read is left out: the host misses it. */

/* verify-process.c: the state of each thread of a process, and what they share; names begin with
 * @prefix.  Returns how many live threads it has; 0: it has ended. */
size_t dn_verify_process (DnFacts *facts, const char *prefix, pid_t pid,
                          const DnContainer *container);

/* A process may go on when its main thread has ended, and then /proc/PID says little: this is a
 * thread that lives, whose /proc/TID says all; @pid where there is none. */
pid_t dn_verify_live_thread (pid_t pid);

/* verify-thread.c */

typedef struct
{
  DnFacts *facts;
  const char *prefix;
  pid_t tid;
  int proc; /* its directory in /proc, borrowed */
} DnVerifyThread;

/* @first: a live thread of the container's first process, to compare namespaces with.
 * @has_own_descriptors: look at them.  Of a thread that lives and still cannot be read, the facts
 * say so.  Returns whether it lives; nothing is added of one that has ended. */
bool dn_verify_thread (const DnVerifyThread *thread, pid_t first, bool has_own_descriptors);

bool dn_verify_thread_lives (const DnVerifyThread *thread);

/* Adds a fact that it has; @name goes behind its prefix. */
void dn_verify_thread_add (const DnVerifyThread *thread, const char *name, const char *value);

/* verify-container.c: all processes with all threads, mounts, the cgroup. */
void dn_verify_container (DnFacts *facts, const DnContainer *container);

/* verify-network.c: its cards, addresses and ways, and the guest's rules for it. */
void dn_verify_network (DnFacts *facts, const DnContainer *container);

/* verify-inside.c: joins the container and asks there. */
void dn_verify_inside (DnFacts *facts, DnContainer *container);

typedef struct
{
  const DnConfig *config;
  int first; /* attempts before it were made by a process before this one */
} DnVerifyInside;

/* verify-answers.c: in the joined process, with all rights dropped; @data: a DnVerifyInside.
 * Writes lines "NAME\tVALUE\n" on standard output, a name before it tries, then ends. */
_Noreturn void dn_verify_attempt_all (void *data);

/* verify-attempts.c: the attempts in the order of protocol/verify.def.  NULL behind the last. */
const char *dn_verify_attempt_name (size_t i);

#define DN_VERIFY_NOT_TRIED (-2) /* it has id 0 already */

/* -1 with errno, DN_VERIFY_NOT_TRIED, or at least 0: it was allowed. */
int dn_verify_attempt_make (size_t i);

/* Whether an attempt that was allowed leaves its process unfit for another. */
bool dn_verify_attempt_is_last (size_t i);

/* verify-guest.c */
void dn_verify_guest (DnFacts *facts, const DnAgent *agent);
