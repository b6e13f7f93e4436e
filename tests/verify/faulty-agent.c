/* SPDX-License-Identifier: Apache-2.0 */
/* An agent that leaves out one control at a time: linked into a copy of it (-Wl,--wrap) that only
 * the tests of verify put into a guest.  The container that was created last chooses the fault, by
 * SEEDED_FAULT=NAME in its environment; test_verify.py knows which line each has to change.
 *
 * The agent's own read-back is switched off, or no such container would start.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../guest-agent/agent/cgroup.h"
#include "../../guest-agent/agent/child-mounts.h"
#include "../../guest-agent/agent/child.h"
#include "../../guest-agent/agent/path.h"
#include "../../guest-agent/mapper/device-mapper.h"

/* Beside the originals, which the linker calls __real_. */
#define WRAP(type, name, ...)                                                                      \
  type __real_##name (__VA_ARGS__);                                                                \
  type __wrap_##name (__VA_ARGS__);                                                                \
  type __wrap_##name (__VA_ARGS__)

static char fault[40];
static int leaked_fd = -1;

static bool
is (const char *name)
{
  return strcmp (fault, name) == 0;
}

static void
write_text (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  (void) !write (fd, text, strlen (text));
  (void) close (fd);
}

/* Faults of the guest as a whole, and back again. */
static void
seed_guest (void)
{
  const unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID;

  write_text ("/proc/sys/kernel/kptr_restrict", is ("guest-kptr") ? "0" : "2");
  write_text ("/proc/sys/kernel/core_pattern", is ("guest-core-pattern") ? "|/x" : "core");
  write_text ("/proc/sys/fs/protected_symlinks", is ("guest-symlinks") ? "0" : "1");
  write_text ("/proc/self/oom_score_adj", is ("guest-agent-oom") ? "0" : "-1000");
  (void) mount (NULL, "/", NULL, flags | (is ("guest-root-nodev") ? 0 : MS_NODEV), NULL);
}

static void
seed_config (DnConfig *config)
{
  if (is ("id-map"))
    config->first_uid = 0;
  if (is ("gid-map"))
    config->first_gid = 0;
  if (is ("rlimit-nofile"))
    config->process.limits[RLIMIT_NOFILE].limit.rlim_max = 1000000;
  if (is ("rlimit-memlock"))
    config->process.limits[RLIMIT_MEMLOCK].is_set = false;
  if (is ("oom-score"))
    config->process.oom_score_adj = -500;
  if (is ("root-writable"))
    config->is_root_readonly = false;
  for (size_t i = 0; i < config->mount_count; i++)
    {
      DnConfigMount *at = &config->mounts[i];

      if (is ("tmp-exec") && strcmp (at->target, "/tmp") == 0)
        at->attributes &= ~(unsigned long) MOUNT_ATTR_NOEXEC;
      if (is ("shm-dev") && strcmp (at->target, "/dev/shm") == 0)
        at->attributes &= ~(unsigned long) MOUNT_ATTR_NODEV;
      if (is ("run-suid") && strcmp (at->target, "/run") == 0)
        at->attributes &= ~(unsigned long) MOUNT_ATTR_NOSUID;
      if (is ("sys-writable") && strcmp (at->target, "/sys") == 0)
        at->attributes &= ~(unsigned long) MOUNT_ATTR_RDONLY;
    }
  if (is ("no-pids"))
    config->resources.pids = 0;
  if (is ("no-memory"))
    config->resources.memory_bytes = 0;
  if (is ("no-cpu"))
    config->resources.cpu_quota_us = 0;
}

WRAP (int, setgroups, size_t count, const gid_t *groups)
{
  return is ("groups") ? 0 : __real_setgroups (count, groups);
}

/* A saved id that stays the guest root's is in no map of the container's. */
WRAP (int, setresuid, uid_t real, uid_t effective, uid_t saved)
{
  return __real_setresuid (real, effective, is ("saved-uid") ? (uid_t) -1 : saved);
}

WRAP (int, setresgid, gid_t real, gid_t effective, gid_t saved)
{
  return __real_setresgid (real, effective, is ("saved-gid") ? (gid_t) -1 : saved);
}

WRAP (int, dn_config_read, const char *text, size_t size, DnConfig *config, DnFault *why)
{
  static const char key[] = "SEEDED_FAULT=";
  const gid_t groups = 5;
  int r = __real_dn_config_read (text, size, config, why);

  fault[0] = '\0';
  for (size_t i = 0; r == 0 && i < config->process.env.count; i++)
    if (strncmp (config->process.env.items[i], key, sizeof key - 1) == 0)
      strncpy (fault, config->process.env.items[i] + sizeof key - 1, sizeof fault - 1);
  seed_guest ();
  if (r == 0)
    seed_config (config);
  /* A group of the agent's own, which the child then does not give up. */
  if (is ("groups"))
    (void) __real_setgroups (1, &groups);
  else
    (void) __real_setgroups (0, NULL);
  return r;
}

/* The root is another one, or none that is checked. */
WRAP (int, dn_mapper_read, dev_t device, DnMapperTable *ret_table, char *ret_status, size_t size)
{
  int r = __real_dn_mapper_read (device, ret_table, ret_status, size);
  char *hash = r == 0 ? strstr (ret_table->parameters, "sha256 ") : NULL;
  struct stat root;
  bool is_root = stat ("/", &root) == 0 && root.st_dev == device;

  if (is (is_root ? "guest-root-plain" : "layer-plain"))
    return -ENXIO;
  if (is (is_root ? "guest-root-hash" : "layer-hash") && hash != NULL)
    hash[7] = hash[7] == '0' ? '1' : '0';
  return r;
}

int __wrap_dn_readback_check (void);

int
__wrap_dn_readback_check (void)
{
  return 0;
}

static int
set_capabilities (uint32_t permitted, uint32_t inheritable)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[2] = { { permitted, permitted, inheritable }, { 0, 0, 0 } };

  return (int) syscall (SYS_capset, &header, data);
}

/* As the original does it, but for the set that is left as it was. */
static int
drop_all_but (bool keep_bounding, uint32_t inheritable)
{
  const uint32_t setpcap = 1u << CAP_SETPCAP;

  /* What is to be inheritable has to be so while the bounding set still has it. */
  if (set_capabilities (setpcap | inheritable, inheritable) < 0)
    return -1;
  for (int i = 0; i < 64 && !keep_bounding; i++)
    if (prctl (PR_CAPBSET_READ, i) == 1 && prctl (PR_CAPBSET_DROP, i) < 0)
      return -1;
  if (prctl (PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED) < 0)
    return -1;
  return set_capabilities (0, inheritable);
}

WRAP (int, dn_child_drop_capabilities, DnChild *child, DnFault *why)
{
  int r;

  if (is ("cap-bounding"))
    return drop_all_but (true, 0);
  if (is ("cap-inheritable"))
    return drop_all_but (false, 1u << CAP_CHOWN);
  if (is ("no-new-privs"))
    {
      /* While it has the rights that loading a filter takes without it. */
      struct sock_fprog program = { .len = (unsigned short) child->plan->filter_count,
                                    .filter = (struct sock_filter *) child->plan->filter };

      r = set_capabilities (1u << CAP_SYS_ADMIN | 1u << CAP_SETPCAP, 0);
      r = r < 0 ? r : (int) syscall (SYS_seccomp, 1, 0, &program);
      return r < 0 ? r : __real_dn_child_drop_capabilities (child, why);
    }
  return __real_dn_child_drop_capabilities (child, why);
}

WRAP (int, dn_child_forbid_new_privileges, DnChild *child, DnFault *why)
{
  if (is ("no-new-privs"))
    return 0;
  return __real_dn_child_forbid_new_privileges (child, why);
}

WRAP (int, dn_child_load_filter, DnChild *child, DnFault *why)
{
  if (is ("no-filter") || is ("no-new-privs"))
    return 0;
  return __real_dn_child_load_filter (child, why);
}

/* What is opened before the container's root leads out of it for ever. */
WRAP (int, dn_child_close_others, DnChild *child, DnFault *why)
{
  int r = __real_dn_child_close_others (child, why);

  if (is ("descriptor"))
    leaked_fd = open ("/", O_PATH | O_DIRECTORY);
  return r;
}

WRAP (int, dn_child_close_at_exec, DnChild *child, DnFault *why)
{
  int r = __real_dn_child_close_at_exec (child, why);

  if (leaked_fd >= 0)
    (void) fcntl (leaked_fd, F_SETFD, 0);
  return r;
}

WRAP (int, dn_child_set_up_namespaces, DnChild *child, DnFault *why)
{
  int r = __real_dn_child_set_up_namespaces (child, why);

  if (is ("max-user-namespaces"))
    write_text ("/proc/sys/user/max_user_namespaces", "100");
  if (is ("sysctl-net"))
    write_text ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024");
  return r;
}

WRAP (int, dn_child_mount_all, DnChild *child, DnFault *why)
{
  const char *const options[] = { "size=4096" };
  int r = __real_dn_child_mount_all (child, why);
  int target;

  if (r < 0 || !is ("extra-mount"))
    return r;
  target = dn_path_make (child->root_fd, "/var/tmp/extra", true);
  return dn_child_move_mount (dn_child_new_mount ("tmpfs", options, 1, MOUNT_ATTR_NOSUID), target);
}

/* Leaves the first path out of one of the lists. */
WRAP (int, dn_child_hide_paths, DnChild *child, DnFault *why)
{
  DnConfig config = *child->plan->config;
  DnChildPlan plan = *child->plan;
  const DnChildPlan *original = child->plan;
  int r;

  if (is ("unmasked") && config.masked_paths.count > 0)
    {
      config.masked_paths.items++;
      config.masked_paths.count--;
    }
  if (is ("not-readonly") && config.readonly_paths.count > 0)
    {
      config.readonly_paths.items++;
      config.readonly_paths.count--;
    }
  plan.config = &config;
  child->plan = &plan;
  r = __real_dn_child_hide_paths (child, why);
  child->plan = original;
  return r;
}

WRAP (int, dn_cgroup_make, DnCgroup *cgroup, const DnCgroups *cgroups, const char *name,
      const DnResources *resources, DnFault *why)
{
  int r = __real_dn_cgroup_make (cgroup, cgroups, name, resources, why);
  int fd;

  if (r < 0 || !is ("oom-group"))
    return r;
  fd = openat (cgroup->fd, "memory.oom.group", O_WRONLY | O_CLOEXEC);
  (void) !write (fd, "1", 1);
  (void) close (fd);
  return r;
}

/* Exec joins every namespace but one. */
WRAP (int, setns, int fd, int flags)
{
  if (is ("exec-ipc"))
    flags &= flags != CLONE_NEWPID ? ~CLONE_NEWIPC : ~0;
  /* With that alone the agent looks at a container's network. */
  if (is ("exec-net"))
    flags &= flags != CLONE_NEWPID && flags != CLONE_NEWNET ? ~CLONE_NEWNET : ~0;
  if (is ("exec-cgroup"))
    flags &= flags != CLONE_NEWPID ? ~CLONE_NEWCGROUP : ~0;
  if (is ("exec-uts"))
    flags &= flags != CLONE_NEWPID ? ~CLONE_NEWUTS : ~0;
  return __real_setns (fd, flags);
}
