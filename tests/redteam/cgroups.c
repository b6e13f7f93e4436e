/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups: one's own limits, and those of others above. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"

#define CLOSED "EROFS EACCES EPERM ENOENT"
#define TOP "/sys/fs/cgroup"

static int
make_group (const DnAim *aim)
{
  int seen = dn_seen (mkdir (aim->path, 0755));

  if (seen == 0)
    (void) rmdir (aim->path);
  return seen;
}

#define WRITE(id, technique, file)                                                                 \
  {                                                                                                \
    "cgroups." id, technique, "R5.14", CLOSED, NULL, dn_attempt_open,                              \
    {                                                                                              \
      .path = file, .a = O_WRONLY                                                                  \
    }                                                                                              \
  }

static const DnProbe probes[] = {
  WRITE ("release-agent", "a program for empty groups (CVE-2022-0492)", TOP "/release_agent"),
  WRITE ("release-agent-1", "the same of a v1 hierarchy", TOP "/rdma/release_agent"),
  WRITE ("notify-1", "notify_on_release of a v1 hierarchy", TOP "/memory/notify_on_release"),
  WRITE ("devices", "devices.allow of a v1 hierarchy", TOP "/devices/devices.allow"),
  WRITE ("pids", "more processes", TOP "/pids.max"),
  WRITE ("memory", "more memory", TOP "/memory.max"),
  WRITE ("cpu", "more processor time", TOP "/cpu.max"),
  WRITE ("procs", "leaving for the group above", TOP "/../cgroup.procs"),
  WRITE ("kill", "killing a whole group", TOP "/cgroup.kill"),
  WRITE ("freeze", "freezing a whole group", TOP "/cgroup.freeze"),
  WRITE ("controllers", "controllers for groups below", TOP "/cgroup.subtree_control"),
  { "cgroups.make",
    "a group of one's own",
    "R5.14",
    CLOSED,
    NULL,
    make_group,
    { .path = TOP "/redteam" } },
};

DN_FAMILY (dn_cgroups, probes);
