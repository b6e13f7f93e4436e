/* SPDX-License-Identifier: Apache-2.0 */
#include "readback.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "autofd.h"

#define STATUS_BYTES 4096
#define NAMESPACES_ALL 0x7f
/* The kernel has no more of them below each other: pid_namespaces(7). */
#define DN_READBACK_LEVELS_MAX 33

static int
read_proc (pid_t pid, const char *file, char *ret_text, size_t size)
{
  char path[64];
  dn_autofd int fd = -1;
  ssize_t n;

  (void) snprintf (path, sizeof path, "/proc/%d/%s", (int) pid, file);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  n = fd < 0 ? -1 : read (fd, ret_text, size - 1);
  if (n < 0)
    return -errno;
  ret_text[n] = '\0';
  return 0;
}

/* The number after "\n@name:", or @missing. */
static uint64_t
find_value (const char *status, const char *name, int base, uint64_t missing)
{
  char key[40];
  const char *at;

  (void) snprintf (key, sizeof key, "\n%s:", name);
  at = strstr (status, key);
  return at != NULL ? strtoull (at + strlen (key), NULL, base) : missing;
}

static uint32_t
read_namespaces (pid_t pid)
{
  static const struct
  {
    const char *name;
    uint32_t bit;
  } all[] = { { "user", DN_NAMESPACE_USER },    { "mnt", DN_NAMESPACE_MOUNT },
              { "pid", DN_NAMESPACE_PID },      { "ipc", DN_NAMESPACE_IPC },
              { "uts", DN_NAMESPACE_UTS },      { "net", DN_NAMESPACE_NET },
              { "cgroup", DN_NAMESPACE_CGROUP } };
  uint32_t bits = 0;

  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    {
      char path[64];
      struct stat own;
      struct stat other;

      (void) snprintf (path, sizeof path, "/proc/self/ns/%s", all[i].name);
      if (stat (path, &own) < 0)
        continue;
      (void) snprintf (path, sizeof path, "/proc/%d/ns/%s", (int) pid, all[i].name);
      if (stat (path, &other) == 0 && (own.st_ino != other.st_ino || own.st_dev != other.st_dev))
        bits |= all[i].bit;
    }
  return bits;
}

/* The text after "\n@name:", or NULL. */
static const char *
find_line (const char *status, const char *name)
{
  char key[40];
  const char *at;

  (void) snprintf (key, sizeof key, "\n%s:", name);
  at = strstr (status, key);
  return at != NULL ? at + strlen (key) : NULL;
}

/* The numbers of a line.  Returns how many; SIZE_MAX for more than @most, or something else. */
static size_t
read_numbers (const char *line, uint32_t *ret_numbers, size_t most)
{
  size_t count = 0;

  if (line == NULL)
    return SIZE_MAX;
  for (;;)
    {
      char *end;
      unsigned long number;

      line += strspn (line, " \t");
      if (*line == '\n' || *line == '\0')
        return count;
      number = strtoul (line, &end, 10);
      if (end == line || number > UINT32_MAX || count == most)
        return SIZE_MAX;
      ret_numbers[count++] = (uint32_t) number;
      line = end;
    }
}

static void
read_ids (const char *status, const char *name, uint32_t ret_ids[DN_READBACK_IDS])
{
  if (read_numbers (find_line (status, name), ret_ids, DN_READBACK_IDS) != DN_READBACK_IDS)
    for (size_t i = 0; i < DN_READBACK_IDS; i++)
      ret_ids[i] = UINT32_MAX;
}

/* In the innermost namespace: the last number of the line.  0: there is none. */
static uint32_t
read_inner_pid (const char *line)
{
  uint32_t numbers[DN_READBACK_LEVELS_MAX];
  size_t count = read_numbers (line, numbers, DN_READBACK_LEVELS_MAX);

  return count == 0 || count == SIZE_MAX ? 0 : numbers[count - 1];
}

uint64_t
dn_readback_pid_namespace (pid_t pid)
{
  char path[64];
  struct stat status;

  (void) snprintf (path, sizeof path, "/proc/%d/ns/pid", (int) pid);
  return pid > 0 && stat (path, &status) == 0 ? (uint64_t) status.st_ino : 0;
}

static DnReadbackMap
read_map (const char *text)
{
  uint32_t numbers[3];
  const char *end = strchr (text, '\n');

  if (read_numbers (text, numbers, 3) != 3 || end == NULL || end[1] != '\0')
    return (DnReadbackMap){ 0 };
  return (DnReadbackMap){ numbers[0], numbers[1], numbers[2] };
}

int
dn_readback_read (pid_t pid, const DnConfig *config, DnReadback *ret_readback, DnFault *fault)
{
  DnMsgStarted *started = &ret_readback->started;
  char status[STATUS_BYTES];
  char uid_map[256];
  char gid_map[256];

  if (read_proc (pid, "status", status, sizeof status) < 0
      || read_proc (pid, "uid_map", uid_map, sizeof uid_map) < 0
      || read_proc (pid, "gid_map", gid_map, sizeof gid_map) < 0)
    return dn_fault_set (fault, -EIO, "read the process's confinement back: it is gone");
  *ret_readback = (DnReadback){ .uid_map = read_map (uid_map), .gid_map = read_map (gid_map) };
  read_ids (status, "Uid", ret_readback->uids);
  read_ids (status, "Gid", ret_readback->gids);
  ret_readback->group_count
      = read_numbers (find_line (status, "Groups"), ret_readback->groups, DN_READBACK_GROUPS_MAX);
  started->pid = (uint32_t) pid;
  started->uid = ret_readback->uids[0] - config->first_uid;
  started->gid = ret_readback->gids[0] - config->first_gid;
  started->cap_inheritable = find_value (status, "CapInh", 16, UINT64_MAX);
  started->cap_permitted = find_value (status, "CapPrm", 16, UINT64_MAX);
  started->cap_effective = find_value (status, "CapEff", 16, UINT64_MAX);
  started->cap_bounding = find_value (status, "CapBnd", 16, UINT64_MAX);
  started->cap_ambient = find_value (status, "CapAmb", 16, UINT64_MAX);
  started->no_new_privs = (uint32_t) find_value (status, "NoNewPrivs", 10, 0);
  started->seccomp_mode = (uint32_t) find_value (status, "Seccomp", 10, 0);
  started->seccomp_filters = (uint32_t) find_value (status, "Seccomp_filters", 10, 0);
  started->namespaces = read_namespaces (pid);
  ret_readback->pid_namespace = dn_readback_pid_namespace (pid);
  ret_readback->inner_pid = read_inner_pid (find_line (status, "NSpid"));
  started->outer_uid_of_root
      = ret_readback->uid_map.inside == 0 ? ret_readback->uid_map.outside : 0;
  return 0;
}

/* Alone in a new one at first, or with those it was to join. */
static bool
is_among_whom_it_should (const DnReadback *readback, uint64_t wanted)
{
  return wanted != 0 ? readback->pid_namespace == wanted : readback->inner_pid == 1;
}

static bool
is_map (const DnReadbackMap *map, uint32_t first, uint32_t count)
{
  return map->inside == 0 && map->outside == first && map->count == count;
}

static bool
are_all (const uint32_t ids[DN_READBACK_IDS], uint32_t id)
{
  for (size_t i = 0; i < DN_READBACK_IDS; i++)
    if (ids[i] != id)
      return false;
  return true;
}

static size_t
count_of (const uint32_t *numbers, size_t count, uint32_t number)
{
  size_t found = 0;

  for (size_t i = 0; i < count; i++)
    found += numbers[i] == number;
  return found;
}

/* The same ones as often, in any order: the kernel sorts them.  @first is added to the others. */
static bool
are_same (const uint32_t *groups, size_t count, const uint32_t *others, size_t other_count,
          uint32_t first)
{
  if (count != other_count)
    return false;
  for (size_t i = 0; i < count; i++)
    if (count_of (groups, count, others[i] + first) != count_of (others, count, others[i]))
      return false;
  return true;
}

/* A user's name waits for the image's files; numbers are the config's own. */
static bool
is_who_was_asked_for (const DnSyncIds *ids, const DnProcessConfig *process)
{
  if (process->user != NULL && process->user[0] != '\0')
    return true;
  return ids->uid == process->uid && ids->gid == process->gid
         && are_same (ids->groups, ids->group_count, process->groups, process->group_count, 0);
}

int
dn_readback_check (const DnReadback *readback, const DnReadbackWanted *wanted, DnFault *fault)
{
  const DnMsgStarted *started = &readback->started;
  const DnConfig *config = wanted->config;
  const DnSyncIds *ids = wanted->ids;
  const DnCapabilities sets = dn_config_capabilities_of (&wanted->process->capabilities, ids->uid);
  const struct
  {
    const char *what;
    bool is_right;
  } checks[] = {
    { "no_new_privs is not set", started->no_new_privs == 1 },
    { "no system call filter is loaded", started->seccomp_mode == SECCOMP_MODE_FILTER },
    { "it is not in namespaces of its own", started->namespaces == NAMESPACES_ALL },
    { "its processes are among others", is_among_whom_it_should (readback, wanted->pid_namespace) },
    { "its root is the guest's root", started->outer_uid_of_root != 0 },
    { "its map of user ids is another",
      is_map (&readback->uid_map, config->first_uid, config->id_count) },
    { "its map of group ids is another",
      is_map (&readback->gid_map, config->first_gid, config->id_count) },
    { "its user is outside the container's range", started->uid < config->id_count },
    { "its group is outside the container's range", started->gid < config->id_count },
    { "it is for another user", is_who_was_asked_for (ids, wanted->process) },
    { "its user ids are others", are_all (readback->uids, config->first_uid + ids->uid) },
    { "its group ids are others", are_all (readback->gids, config->first_gid + ids->gid) },
    { "its supplementary groups are others",
      are_same (readback->groups, readback->group_count, ids->groups, ids->group_count,
                config->first_gid) },
    { "the inheritable set is larger", (started->cap_inheritable & ~sets.inheritable) == 0 },
    { "the permitted set is larger", (started->cap_permitted & ~sets.permitted) == 0 },
    { "the effective set is larger", (started->cap_effective & ~sets.effective) == 0 },
    { "the bounding set is larger", (started->cap_bounding & ~sets.bounding) == 0 },
    { "the ambient set is larger", (started->cap_ambient & ~sets.ambient) == 0 },
  };

  for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
    if (!checks[i].is_right)
      return dn_fault_set (fault, -EPERM, "the process is not confined as asked: %s",
                           checks[i].what);
  return 0;
}
