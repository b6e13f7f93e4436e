/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups (v2): one for each container below danchi/, one for the agent beside it.
 *
 *     ROOT/agent/          the agent and its helpers
 *     ROOT/danchi/ID/      a container's processes
 *
 * All by descriptors of directories; containers see their group read-only, if at all, so what is
 * read here is the kernel's.  Source: the kernel's Documentation/admin-guide/cgroup-v2.rst.
 */
#pragma once

#include "config.h"

typedef struct
{
  int root_fd; /* danchi/ */
  bool has_memory;
  bool has_pids;
  bool has_cpu;
  /* Those that limits need which are seldom asked for: without them such a limit is refused. */
  bool has_io;
  bool has_cpuset;
} DnCgroups;

typedef struct
{
  const DnCgroups *cgroups;
  int fd; /* -1: none */
  char name[DN_ID_BYTES + 1];
} DnCgroup;

/* Moves the agent into its own group and turns the controllers on.  With @allow_missing, for tests,
 * limits that the machine cannot set are passed over. */
int dn_cgroups_open (DnCgroups *cgroups, const char *root, bool allow_missing, DnFault *fault);

int dn_cgroup_make (DnCgroup *cgroup, const DnCgroups *cgroups, const char *name,
                    const DnResources *resources, DnFault *fault);

/* The processors it may run on, "0-1,3"; "all": all.  0, or a negative status with @fault. */
int dn_cgroup_limit_cpus (const DnCgroup *cgroup, const char *cpus, DnFault *fault);

/* Sets what @resources has; 0 leaves a limit alone, DN_LIMIT_NONE lifts it. */
int dn_cgroup_limit (const DnCgroup *cgroup, const DnResources *resources, DnFault *fault);

int dn_cgroup_kill (const DnCgroup *cgroup);               /* SIGKILL to all; 0 or -errno */
int dn_cgroup_signal (const DnCgroup *cgroup, int signal); /* to all; 0 or -errno */
int dn_cgroup_freeze (const DnCgroup *cgroup, bool is_frozen);

/* A number from a file of the group, for "flat keyed" ones the value of @key; @missing when it is
 * not there, DN_LIMIT_NONE for "max". */
uint64_t dn_cgroup_read (const DnCgroup *cgroup, const char *file, const char *key,
                         uint64_t missing);

/* A file of the group, for watching; a descriptor the caller owns, or -1. */
int dn_cgroup_open_file (const DnCgroup *cgroup, const char *file);

/* The pids in the group, as the agent sees them.  Returns how many, at most @most. */
size_t dn_cgroup_pids (const DnCgroup *cgroup, int *ret_pids, size_t most);

bool dn_cgroup_is_populated (const DnCgroup *cgroup);

/* Removes the group, which must be empty, and closes it.  Nothing when there is none. */
int dn_cgroup_remove (DnCgroup *cgroup);
