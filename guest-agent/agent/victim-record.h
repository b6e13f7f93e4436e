/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel writes to its log when it ends a process because memory has run out.
 *
 * One line of it names process, program, owner and size, and is never left out, however often that
 * happens (the long report before it is):
 *
 *     Memory cgroup out of memory: Killed process 77 (sh) total-vm:9kB, anon-rss:8kB, file-rss:0kB,
 *     shmem-rss:0kB, UID:100000 pgtables:40kB oom_score_adj:0
 *
 * A program's name is its own choice, of 15 bytes; so the line is known by a beginning that is
 * longer, and what follows the name is looked for from the end.
 *
 * Pure.
 * Source: __oom_kill_process() in Linux 6.1; Documentation/ABI/testing/dev-kmsg.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../protocol/protocol.h"

typedef struct
{
  uint32_t pid; /* the guest's */
  uint32_t uid; /* likewise */
  uint64_t memory_bytes;
  char program[DN_PROGRAM_BYTES + 1];
} DnVictimRecord;

/* @text: a record of /dev/kmsg, @size bytes, without a NUL.  False: it is about something else. */
bool dn_victim_record_read (const char *text, size_t size, DnVictimRecord *ret_record);
