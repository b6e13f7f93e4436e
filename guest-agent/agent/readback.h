/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says a process is confined to, read from outside just before its program runs.
 *
 * Success codes are not evidence: a container counts as started only when this agrees with what was
 * asked for.  Who a user of the image is only the child can look up, in the image's files; so the
 * ids are held to what the child says it was to become, and that to the config wherever the config
 * has numbers.  Source: proc(5), /proc/PID/status; user_namespaces(7).
 */
#pragma once

#include <sys/types.h>

#include "config.h"
#include "sync.h"

#define DN_READBACK_GROUPS_MAX (2 * DN_CONFIG_GROUPS_MAX)
#define DN_READBACK_IDS 4 /* real, effective, saved, of the file system */

/* A map of ids that has one line; any other is all zero, which no container's is. */
typedef struct
{
  uint32_t inside;
  uint32_t outside;
  uint32_t count;
} DnReadbackMap;

typedef struct
{
  DnMsgStarted started;           /* what the host is told; all but request and container */
  uint32_t uids[DN_READBACK_IDS]; /* as the guest counts, as all below; UINT32_MAX: not there */
  uint32_t gids[DN_READBACK_IDS];
  uint32_t groups[DN_READBACK_GROUPS_MAX];
  size_t group_count; /* SIZE_MAX: more than those, or not there */
  DnReadbackMap uid_map;
  DnReadbackMap gid_map;
  uint64_t pid_namespace; /* its number; 0: it cannot be read */
  uint32_t inner_pid;     /* what it is called in there */
} DnReadback;

typedef struct
{
  const DnConfig *config;         /* the container's: its range of ids */
  const DnProcessConfig *process; /* of the process */
  const DnSyncIds *ids;           /* who the child says it was to become */
  uint64_t pid_namespace; /* the one that it is to be in; 0: a new one, of which it is the first */
} DnReadbackWanted;

/* The number of @pid's namespace of processes; 0: there is no such process. */
uint64_t dn_readback_pid_namespace (pid_t pid);

/* Reads @pid's state. */
int dn_readback_read (pid_t pid, const DnConfig *config, DnReadback *ret_readback, DnFault *fault);

/* Compares it with what must be so for every process, and with what was asked for this one.  Fewer
 * capabilities will do; ids, groups and maps must be exactly those.  -EPERM with @fault naming the
 * first difference.  Pure. */
int dn_readback_check (const DnReadback *readback, const DnReadbackWanted *wanted, DnFault *fault);
