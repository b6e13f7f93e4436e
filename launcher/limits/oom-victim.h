/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of a container that its guest's kernel ended for want of memory: how many, and the last
 * one.  All of it is the guest's word: names are bounded and made clean, numbers are shown and
 * decide nothing.
 *
 * Pure.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../../protocol/protocol.h"

typedef struct
{
  guint64 count; /* how often it was told; each may be several processes */
  gboolean has_victim;
  gboolean is_fresh; /* told, and not counted yet */
  guint32 pid;       /* as the container sees it; 0: not known */
  guint32 uid;
  guint64 memory_bytes;
  gint64 time_us;
  char program[4 * DN_PROGRAM_BYTES + 1]; /* clean */
} DnOomVictim;

/* OOM_VICTIM, and the OOM that follows it. */
void dn_oom_victim_take (DnOomVictim *oom, const DnMsgOomVictim *message, gint64 now_us);
void dn_oom_victim_count (DnOomVictim *oom);

/* Whether the container's first process may have been the last victim; TRUE where nothing is known.
 */
gboolean dn_oom_victim_can_be_first (const DnOomVictim *oom);

/* Why the container ended. (transfer full) */
char *dn_oom_victim_reason (const DnOomVictim *oom);

/* {count, program, pid, uid, memory_bytes, time_us}; of the last victim what is known. (transfer
 * full) */
JsonObject *dn_oom_victim_to_json (const DnOomVictim *oom);

/* For an event: names and values, ends with NULL; empty where nothing is known. (transfer full) */
char **dn_oom_victim_to_attributes (const DnOomVictim *oom);
