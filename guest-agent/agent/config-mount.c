/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts and resources of a config: which kinds there are, and what may be asked of each. */
#include "config.h"

#include <errno.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a tmpfs without a size gets: the kernel's own default is half of all memory. */
#define TMPFS_DEFAULT_OPTION "size=67108864"

/* Options every mount takes; those that would loosen it are heard and not obeyed. */
static const struct
{
  const char *name;
  unsigned long set;
  unsigned long clear;
} flags[] = {
  { "ro", MOUNT_ATTR_RDONLY, 0 },
  { "rw", 0, MOUNT_ATTR_RDONLY },
  { "nosuid", MOUNT_ATTR_NOSUID, 0 },
  { "suid", 0, 0 },
  { "nodev", 0, 0 },
  { "dev", 0, 0 },
  { "noexec", MOUNT_ATTR_NOEXEC, 0 },
  { "exec", 0, MOUNT_ATTR_NOEXEC },
  { "noatime", MOUNT_ATTR_NOATIME, 0 },
  { "relatime", 0, 0 },
  { "strictatime", 0, 0 },
  { "private", 0, 0 },
  { "rprivate", 0, 0 },
};

/* What can be mounted, and the options of its file system.  No bind, no device, no path of the
 * guest's can be named: the only sources are a disk's serial number and a volume's, and what is
 * mounted at a share's place the host says later. */
static const struct
{
  const char *name;
  const char *type;
  unsigned long attributes; /* always */
  const char *options[6];
} kinds[] = {
  { "proc", "proc", MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, { "hidepid", "subset" } },
  { "tmpfs", "tmpfs", MOUNT_ATTR_NODEV, { "size", "mode", "uid", "gid", "nr_inodes" } },
  /* No nodev: terminals are devices.  The instance is the container's own. */
  { "devpts", "devpts", MOUNT_ATTR_NOEXEC, { "newinstance", "ptmxmode", "mode", "gid", "max" } },
  { "mqueue", "mqueue", MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, { NULL } },
  { "sysfs", "sysfs", MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY, { NULL } },
  { "cgroup",
    "cgroup2",
    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY,
    { "nsdelegate" } },
  { "cgroup2",
    "cgroup2",
    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY,
    { "nsdelegate" } },
  { DN_CONFIG_MOUNT_DISK, DN_CONFIG_MOUNT_DISK, MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY, { NULL } },
  { DN_CONFIG_MOUNT_SHARE, DN_CONFIG_MOUNT_SHARE, MOUNT_ATTR_NODEV, { NULL } },
  { DN_CONFIG_MOUNT_SECRETS,
    DN_CONFIG_MOUNT_SECRETS,
    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY,
    { NULL } },
  { DN_CONFIG_MOUNT_VOLUME, DN_CONFIG_MOUNT_VOLUME, MOUNT_ATTR_NODEV, { NULL } },
  { DN_CONFIG_MOUNT_POD, DN_CONFIG_MOUNT_POD, MOUNT_ATTR_NODEV, { "size", "mode", "gid" } },
};

static int
add_option (DnConfigMount *mount, const char *option, DnFault *fault)
{
  if (mount->option_count == DN_CONFIG_MOUNT_OPTIONS_MAX)
    return dn_fault_set (fault, -E2BIG, "mount '%s': too many options", mount->target);
  mount->options[mount->option_count] = strdup (option);
  if (mount->options[mount->option_count] == NULL)
    return dn_fault_set (fault, -ENOMEM, "config: no memory");
  mount->option_count++;
  return 0;
}

/* Names with '/' between; the kernel resolves them one by one, and follows no link. */
static int
read_sub (DnConfigMount *mount, const char *path, DnFault *fault)
{
  if (mount->sub != NULL || path[0] == '\0' || path[0] == '/' || strlen (path) > DN_PATH_BYTES)
    return dn_fault_set (fault, -EINVAL, "mount '%s': 'sub' must be a relative path",
                         mount->target);
  mount->sub = strdup (path);
  return mount->sub != NULL ? 0 : dn_fault_set (fault, -ENOMEM, "config: no memory");
}

static int
read_option (DnConfigMount *mount, size_t kind, const char *option, DnFault *fault)
{
  size_t name_bytes = strcspn (option, "=");

  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
    if (strcmp (option, flags[i].name) == 0)
      {
        mount->attributes |= flags[i].set;
        mount->attributes &= ~flags[i].clear;
        return 0;
      }
  /* As runc calls it. */
  if (strcmp (option, "tmpcopyup") == 0
      && (strcmp (mount->type, "tmpfs") == 0 || mount->volume != NULL))
    {
      mount->is_filled = true;
      return 0;
    }
  if (strcmp (option, "file") == 0 && strcmp (mount->type, DN_CONFIG_MOUNT_SHARE) == 0)
    {
      mount->is_file = true;
      return 0;
    }
  if (strncmp (option, "sub=", 4) == 0 && mount->memory != NULL)
    return read_sub (mount, option + 4, fault);
  for (size_t i = 0; i < 6 && kinds[kind].options[i] != NULL; i++)
    if (strlen (kinds[kind].options[i]) == name_bytes
        && memcmp (option, kinds[kind].options[i], name_bytes) == 0)
      {
        /* Every devpts is an instance of its own since Linux 4.7; cgroup2's is the guest's. */
        if (strcmp (option, "newinstance") == 0 || strcmp (option, "nsdelegate") == 0)
          return 0;
        return add_option (mount, option, fault);
      }
  return dn_fault_set (fault, -EINVAL, "mount '%s': option '%s' is not possible for %s",
                       mount->target, option, mount->type);
}

/* A disk of the guest's, named by its serial number; whether that is one, CREATE asks. */
static int
read_disk (const json_t *object, DnConfigMount *mount, DnFault *fault)
{
  int r;

  if ((r = dn_json_text (object, "source", &mount->disk, fault)) < 0
      || (r = dn_json_texts (object, "layers", DN_DISK_LAYERS_MAX, &mount->layers, fault)) < 0)
    return r;
  if (mount->disk == NULL)
    return dn_fault_set (fault, -EINVAL, "mount '%s': 'source' must be a disk's serial number",
                         mount->target);
  return 0;
}

static int
read_volume (const json_t *object, DnConfigMount *mount, DnFault *fault)
{
  int r = dn_json_text (object, "source", &mount->volume, fault);

  if (r == 0 && mount->volume == NULL)
    r = dn_fault_set (fault, -EINVAL, "mount '%s': 'source' must be a volume", mount->target);
  return r;
}

static int
read_memory (const json_t *object, DnConfigMount *mount, DnFault *fault)
{
  int r = dn_json_text (object, "source", &mount->memory, fault);

  /* It becomes a name of a directory. */
  if (r == 0
      && (mount->memory == NULL || mount->memory[0] == '\0' || strlen (mount->memory) > 64
          || strspn (mount->memory, "abcdefghijklmnopqrstuvwxyz0123456789-")
                 != strlen (mount->memory)))
    r = dn_fault_set (fault, -EINVAL, "mount '%s': 'source' must be a name of the pod's",
                      mount->target);
  return r;
}

bool
dn_config_mount_has_tree (const DnConfigMount *mount)
{
  return mount->disk != NULL || mount->volume != NULL || mount->memory != NULL;
}

static bool
has_option (const DnConfigMount *mount, const char *prefix)
{
  for (size_t i = 0; i < mount->option_count; i++)
    if (strncmp (mount->options[i], prefix, strlen (prefix)) == 0)
      return true;
  return false;
}

int
dn_config_mount (const json_t *object, DnConfigMount *mount, DnFault *fault)
{
  const size_t count = sizeof kinds / sizeof kinds[0];
  const char *type = NULL;
  DnTexts options = { 0 };
  size_t kind = 0;
  int r;

  if ((r = dn_json_text (object, "destination", &mount->target, fault)) < 0
      || (r = dn_json_text (object, "type", &type, fault)) < 0)
    return r;
  if (mount->target == NULL || mount->target[0] != '/' || mount->target[1] == '\0'
      || strlen (mount->target) > DN_PATH_BYTES)
    return dn_fault_set (fault, -EINVAL, "config: mount: 'destination' must be an absolute path");
  while (kind < count && (type == NULL || strcmp (type, kinds[kind].name) != 0))
    kind++;
  if (kind == count)
    return dn_fault_set (fault, -EINVAL, "mount '%s': type '%s' is not possible", mount->target,
                         type != NULL ? type : "none");
  mount->type = kinds[kind].type;
  if (strcmp (mount->type, DN_CONFIG_MOUNT_DISK) == 0 && (r = read_disk (object, mount, fault)) < 0)
    return r;
  if (strcmp (mount->type, DN_CONFIG_MOUNT_SECRETS) == 0
      && (r = dn_config_secrets (object, mount, fault)) < 0)
    return r;
  if (strcmp (mount->type, DN_CONFIG_MOUNT_VOLUME) == 0
      && (r = read_volume (object, mount, fault)) < 0)
    return r;
  if (strcmp (mount->type, DN_CONFIG_MOUNT_POD) == 0
      && (r = read_memory (object, mount, fault)) < 0)
    return r;
  if ((r = dn_json_texts (object, "options", 32, &options, fault)) < 0)
    return r;
  for (size_t i = 0; i < options.count && r == 0; i++)
    r = read_option (mount, kind, options.items[i], fault);
  dn_texts_clear (&options);
  if (r < 0)
    return r;
  /* After the options, so that none can take these away. */
  mount->attributes |= MOUNT_ATTR_NOSUID | kinds[kind].attributes;
  if ((strcmp (mount->type, "tmpfs") == 0 || mount->memory != NULL) && !has_option (mount, "size="))
    return add_option (mount, TMPFS_DEFAULT_OPTION, fault);
  return 0;
}

/* A limit where -1 or the greatest number is none and 0 is not given. */
static int
read_limit (const json_t *object, const char *name, uint64_t *ret_limit, DnFault *fault)
{
  int64_t value = 0;
  int r = dn_json_int (object, name, -1, INT64_MAX, &value, fault);

  if (r == 0 && value != 0)
    *ret_limit = value < 0 ? DN_LIMIT_NONE : (uint64_t) value;
  return r;
}

int
dn_config_resources (const json_t *object, DnResources *resources, DnFault *fault)
{
  json_t *memory = NULL;
  json_t *cpu = NULL;
  json_t *pids = NULL;
  json_t *unified = NULL;
  const char *ends_whole = NULL;
  int64_t shares = 0;
  int r;

  if ((r = dn_json_object (object, "memory", &memory, fault)) < 0
      || (r = dn_json_object (object, "cpu", &cpu, fault)) < 0
      || (r = dn_json_object (object, "pids", &pids, fault)) < 0
      || (r = read_limit (memory, "limit", &resources->memory_bytes, fault)) < 0
      || (r = read_limit (memory, "reservation", &resources->memory_low_bytes, fault)) < 0
      || (r = read_limit (pids, "limit", &resources->pids, fault)) < 0
      || (r = read_limit (cpu, "quota", &resources->cpu_quota_us, fault)) < 0
      || (r = read_limit (cpu, "period", &resources->cpu_period_us, fault)) < 0
      || (r = dn_json_int (cpu, "shares", 0, 262144, &shares, fault)) < 0)
    return r;
  if ((r = dn_json_object (object, "unified", &unified, fault)) < 0
      || (r = dn_json_text (unified, "memory.oom.group", &ends_whole, fault)) < 0)
    return r;
  resources->ends_whole = ends_whole != NULL && strcmp (ends_whole, "1") == 0;
  if (shares != 0)
    resources->cpu_weight = dn_config_weight_of_shares ((uint64_t) shares);
  return 0;
}
