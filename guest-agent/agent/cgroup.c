/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "autofd.h"

#define FILE_BYTES 4096
#define PIDS_MAX 4096
/* The first of the controllers below, without which no container is made. */
#define NEEDED_CONTROLLERS 3
/* Of the guest's memory: what is never reclaimed from the agent, and what no container gets, so
 * that the kernel and the agent can always work. */
#define AGENT_BYTES (16 * 1024 * 1024)
#define RESERVE_BYTES (32 * 1024 * 1024)

static int
write_file (int directory, const char *name, const char *text)
{
  dn_autofd int fd = openat (directory, name, O_WRONLY | O_CLOEXEC);

  return fd < 0 || write (fd, text, strlen (text)) < 0 ? -errno : 0;
}

static int
enable (int directory, const char *controller)
{
  char text[32];

  (void) snprintf (text, sizeof text, "+%s", controller);
  return write_file (directory, "cgroup.subtree_control", text);
}

static int
make_group (int directory, const char *name)
{
  int fd;

  if (mkdirat (directory, name, 0755) < 0 && errno != EEXIST)
    return -1;
  fd = openat (directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd;
}

/* When containers use up all there is, one of their processes ends and nothing of the guest's own:
 * they have a limit together, and the agent's pages stay. */
static void
protect_agent (const DnCgroups *cgroups, int agent_fd)
{
  struct sysinfo info;
  char text[32];
  uint64_t total;

  if (sysinfo (&info) < 0)
    return;
  total = (uint64_t) info.totalram * info.mem_unit;
  (void) snprintf (text, sizeof text, "%d", AGENT_BYTES);
  (void) write_file (agent_fd, "memory.min", text);
  if (total <= 2 * (uint64_t) RESERVE_BYTES)
    return;
  (void) snprintf (text, sizeof text, "%" PRIu64, total - RESERVE_BYTES);
  (void) write_file (cgroups->root_fd, "memory.max", text);
}

int
dn_cgroups_open (DnCgroups *cgroups, const char *root, bool allow_missing, DnFault *fault)
{
  const char *const controllers[] = { "memory", "pids", "cpu", "io", "cpuset" };
  bool *const flags[] = { &cgroups->has_memory, &cgroups->has_pids, &cgroups->has_cpu,
                          &cgroups->has_io, &cgroups->has_cpuset };
  dn_autofd int root_fd = open (root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  dn_autofd int agent_fd = -1;
  int r;

  *cgroups = (DnCgroups){ .root_fd = -1 };
  if (root_fd < 0)
    return dn_fault_set_errno (fault, "cgroups at '%s'", root);
  /* Out of the root first: a group with processes can have no controllers below it. */
  agent_fd = make_group (root_fd, "agent");
  if (agent_fd < 0)
    return dn_fault_set_errno (fault, "make the agent's cgroup");
  r = write_file (agent_fd, "cgroup.procs", "0");
  if (r < 0)
    return dn_fault_set (fault, r, "enter the agent's cgroup: %s", strerror (-r));
  cgroups->root_fd = make_group (root_fd, "danchi");
  if (cgroups->root_fd < 0)
    return dn_fault_set_errno (fault, "make the containers' cgroup");
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
    {
      *flags[i]
          = enable (root_fd, controllers[i]) == 0 && enable (cgroups->root_fd, controllers[i]) == 0;
      if (!*flags[i] && !allow_missing && i < NEEDED_CONTROLLERS)
        return dn_fault_set (fault, -ENOSYS, "cgroups: this kernel has no '%s' controller",
                             controllers[i]);
    }
  if (cgroups->has_memory)
    protect_agent (cgroups, agent_fd);
  return 0;
}

static int
set_number (const DnCgroup *cgroup, const char *file, uint64_t value)
{
  /* What is kept for it is none when it is lifted, all others have no end then. */
  char text[32];

  (void) strcpy (text, strcmp (file, "memory.low") == 0 ? "0" : "max");
  if (value != DN_LIMIT_NONE)
    (void) snprintf (text, sizeof text, "%" PRIu64, value);
  return write_file (cgroup->fd, file, text);
}

static int
set_cpu (const DnCgroup *cgroup, const DnResources *resources)
{
  char text[64];
  uint64_t period = resources->cpu_period_us;

  if (period == 0 || period == DN_LIMIT_NONE)
    period = 100000;
  if (resources->cpu_quota_us == DN_LIMIT_NONE)
    (void) snprintf (text, sizeof text, "max %" PRIu64, period);
  else
    (void) snprintf (text, sizeof text, "%" PRIu64 " %" PRIu64, resources->cpu_quota_us, period);
  return write_file (cgroup->fd, "cpu.max", text);
}

int
dn_cgroup_limit (const DnCgroup *cgroup, const DnResources *resources, DnFault *fault)
{
  const struct
  {
    const char *file;
    uint64_t value;
    bool is_possible;
  } numbers[] = {
    { "memory.high", resources->memory_high_bytes, cgroup->cgroups->has_memory },
    { "memory.low", resources->memory_low_bytes, cgroup->cgroups->has_memory },
    { "memory.max", resources->memory_bytes, cgroup->cgroups->has_memory },
    { "pids.max", resources->pids, cgroup->cgroups->has_pids },
    { "cpu.weight", resources->cpu_weight, cgroup->cgroups->has_cpu },
  };

  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    {
      int r = numbers[i].value != 0 && numbers[i].is_possible
                  ? set_number (cgroup, numbers[i].file, numbers[i].value)
                  : 0;

      if (r < 0)
        return dn_fault_set (fault, r, "limit '%s': %s", numbers[i].file, strerror (-r));
    }
  if (resources->cpu_quota_us != 0 && cgroup->cgroups->has_cpu)
    {
      int r = set_cpu (cgroup, resources);

      if (r < 0)
        return dn_fault_set (fault, r, "limit 'cpu.max': %s", strerror (-r));
    }
  return 0;
}

int
dn_cgroup_limit_cpus (const DnCgroup *cgroup, const char *cpus, DnFault *fault)
{
  char all[FILE_BYTES];
  int r;

  if (cpus[0] == '\0')
    return 0;
  if (!cgroup->cgroups->has_cpuset)
    return dn_fault_set (fault, -ENOSYS, "limit 'cpuset.cpus': the guest's kernel has none");
  if (strcmp (cpus, "all") == 0)
    {
      /* A group with processes cannot go back to having no list of its own. */
      dn_autofd int fd
          = openat (cgroup->cgroups->root_fd, "cpuset.cpus.effective", O_RDONLY | O_CLOEXEC);
      ssize_t n = fd < 0 ? -1 : read (fd, all, sizeof all - 1);

      if (n <= 0)
        return dn_fault_set_errno (fault, "read the guest's processors");
      all[n] = '\0';
      cpus = all;
    }
  r = write_file (cgroup->fd, "cpuset.cpus", cpus);
  if (r == -EINVAL || r == -ERANGE)
    return dn_fault_set (fault, r, "--cpuset-cpus %s: the guest has not all of these processors",
                         cpus);
  return r < 0 ? dn_fault_set (fault, r, "limit 'cpuset.cpus': %s", strerror (-r)) : 0;
}

int
dn_cgroup_make (DnCgroup *cgroup, const DnCgroups *cgroups, const char *name,
                const DnResources *resources, DnFault *fault)
{
  int r;

  *cgroup = (DnCgroup){ .cgroups = cgroups, .fd = -1 };
  (void) snprintf (cgroup->name, sizeof cgroup->name, "%s", name);
  if (mkdirat (cgroups->root_fd, name, 0755) < 0)
    return dn_fault_set_errno (fault, "make the container's cgroup");
  cgroup->fd = openat (cgroups->root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cgroup->fd < 0)
    return dn_fault_set_errno (fault, "open the container's cgroup");
  if (cgroups->has_memory)
    {
      /* No swap: a guest has none, and none is to be used if it had. */
      (void) write_file (cgroup->fd, "memory.swap.max", "0");
      r = resources->ends_whole ? write_file (cgroup->fd, "memory.oom.group", "1") : 0;
      if (r < 0)
        return dn_fault_set (fault, r, "set 'memory.oom.group': %s", strerror (-r));
    }
  return dn_cgroup_limit (cgroup, resources, fault);
}

size_t
dn_cgroup_pids (const DnCgroup *cgroup, int *ret_pids, size_t most)
{
  dn_autofd int fd = openat (cgroup->fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  size_t count = 0;
  char text[FILE_BYTES];
  ssize_t n;
  int pid = 0;

  while (fd >= 0 && (n = read (fd, text, sizeof text)) > 0)
    for (ssize_t i = 0; i < n; i++)
      {
        if (text[i] >= '0' && text[i] <= '9')
          pid = pid * 10 + (text[i] - '0');
        else
          {
            if (pid > 0 && count < most)
              ret_pids[count++] = pid;
            pid = 0;
          }
      }
  return count;
}

int
dn_cgroup_signal (const DnCgroup *cgroup, int signal)
{
  static int pids[PIDS_MAX];
  size_t count = dn_cgroup_pids (cgroup, pids, PIDS_MAX);

  /* A pid may end and be taken anew between reading and killing, but then by a process of this
   * container or by a helper of the agent's that has just begun: no pid goes round that fast. */
  for (size_t i = 0; i < count; i++)
    (void) kill (pids[i], signal);
  return 0;
}

int
dn_cgroup_kill (const DnCgroup *cgroup)
{
  if (cgroup->fd < 0)
    return 0;
  return write_file (cgroup->fd, "cgroup.kill", "1");
}

int
dn_cgroup_freeze (const DnCgroup *cgroup, bool is_frozen)
{
  return write_file (cgroup->fd, "cgroup.freeze", is_frozen ? "1" : "0");
}

int
dn_cgroup_open_file (const DnCgroup *cgroup, const char *file)
{
  return openat (cgroup->fd, file, O_RDONLY | O_CLOEXEC);
}

uint64_t
dn_cgroup_read (const DnCgroup *cgroup, const char *file, const char *key, uint64_t missing)
{
  dn_autofd int fd = openat (cgroup->fd, file, O_RDONLY | O_CLOEXEC);
  char text[FILE_BYTES];
  ssize_t n = fd < 0 ? -1 : read (fd, text, sizeof text - 1);
  char *line = text;
  char *rest = text;

  if (n <= 0)
    return missing;
  text[n] = '\0';
  if (key == NULL)
    return strncmp (text, "max", 3) == 0 ? DN_LIMIT_NONE : strtoull (text, NULL, 10);
  while ((line = strsep (&rest, "\n")) != NULL)
    if (strncmp (line, key, strlen (key)) == 0 && line[strlen (key)] == ' ')
      return strtoull (line + strlen (key) + 1, NULL, 10);
  return missing;
}

bool
dn_cgroup_is_populated (const DnCgroup *cgroup)
{
  return cgroup->fd >= 0 && dn_cgroup_read (cgroup, "cgroup.events", "populated", 0) != 0;
}

int
dn_cgroup_remove (DnCgroup *cgroup)
{
  if (cgroup->cgroups == NULL || cgroup->name[0] == '\0')
    return 0;
  if (unlinkat (cgroup->cgroups->root_fd, cgroup->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
    return -errno;
  dn_fd_clear (&cgroup->fd);
  *cgroup = (DnCgroup){ .fd = -1 };
  return 0;
}
