/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up rights: see the table drop_steps in child.c for the order and its reasons. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "autofd.h"
#include "child.h"
#include "path.h"
#include "sync.h"

#define CAPABILITIES 64

int
dn_child_resolve_user (DnChild *child, DnFault *fault)
{
  const DnProcessConfig *process = child->plan->process;
  DnUserFiles files;
  int r = 0;

  dn_user_files_read (&files);
  if (process->user != NULL && process->user[0] != '\0')
    r = dn_user_resolve (process->user, &files, &child->user, fault);
  else
    {
      child->user.uid = process->uid;
      child->user.gid = process->gid;
      dn_user_find_home (&child->user, &files);
    }
  /* Groups the config names come on top of those of the files. */
  for (size_t i = 0; i < process->group_count && child->user.group_count < DN_CONFIG_GROUPS_MAX;
       i++)
    child->user.groups[child->user.group_count++] = process->groups[i];
  dn_user_files_clear (&files);
  return r;
}

int
dn_child_await_binds (DnChild *child, DnFault *fault)
{
  const DnConfig *config = child->plan->config;
  bool has_binds = false;

  (void) fault;
  for (size_t i = 0; config != NULL && i < config->mount_count; i++)
    has_binds = has_binds || strcmp (config->mounts[i].type, DN_CONFIG_MOUNT_SHARE) == 0;
  if (!has_binds)
    return 0;
  if (dn_child_report_user (child, DN_SYNC_USER) < 0
      || dn_sync_await_order (child->plan->sync_fd, DN_SYNC_BOUND, NULL) < 0)
    return -1;
  return 0;
}

int
dn_child_take_stdio (DnChild *child, DnFault *fault)
{
  const DnChildPlan *plan = child->plan;
  int from[3];

  (void) fault;
  for (int i = 0; i < 3; i++)
    {
      from[i] = plan->has_terminal ? child->terminal_fd : plan->stdio[i];
      /* To the user, since programs open /dev/stdout anew, by its path.  Ignored where it fails:
       * /dev/null is the guest's and open to all. */
      (void) !fchown (from[i], child->user.uid, (gid_t) -1);
    }
  /* The plan's descriptors are all above 2: the agent keeps 0 to 2 taken. */
  for (int i = 0; i < 3; i++)
    if (dup2 (from[i], i) < 0)
      return -1;
  if (plan->has_terminal && ioctl (0, TIOCSCTTY, 0) < 0)
    return -1;
  return 0;
}

int
dn_child_make_cwd (DnChild *child, DnFault *fault)
{
  dn_autofd int root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  dn_autofd int cwd = dn_path_make (root, child->plan->process->cwd, true);

  /* A working directory that is missing is made, as Docker does, where the root can be written;
   * what cannot be made is noticed on entering it. */
  (void) cwd;
  (void) fault;
  return 0;
}

int
dn_child_join_keyring (DnChild *child, DnFault *fault)
{
  (void) child;
  (void) fault;
  /* Without it the process would possess the keys of whoever started the agent. */
  if (syscall (SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
    return -1;
  return 0;
}

int
dn_child_drop_ids (DnChild *child, DnFault *fault)
{
  const DnUser *user = &child->user;

  (void) fault;
  /* Keeps the permitted set over the change, for the next step; execve(2) clears the bit. */
  if (prctl (PR_SET_KEEPCAPS, 1) < 0)
    return -1;
  if (setgroups (user->group_count, user->groups) < 0)
    return -1;
  if (setresgid (user->gid, user->gid, user->gid) < 0)
    return -1;
  if (setresuid (user->uid, user->uid, user->uid) < 0)
    return -1;
  (void) prctl (PR_SET_DUMPABLE, 0);
  (void) umask (child->plan->process->umask);
  return 0;
}

static int
set_capabilities (uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[2] = {
    { (uint32_t) effective, (uint32_t) permitted, (uint32_t) inheritable },
    { (uint32_t) (effective >> 32), (uint32_t) (permitted >> 32), (uint32_t) (inheritable >> 32) },
  };

  return (int) syscall (SYS_capset, &header, data);
}

int
dn_child_drop_capabilities (DnChild *child, DnFault *fault)
{
  const DnCapabilities own
      = dn_config_capabilities_of (&child->plan->process->capabilities, child->user.uid);
  const DnCapabilities *sets = &own;
  const uint64_t setpcap = UINT64_C (1) << CAP_SETPCAP;

  (void) fault;
  /* CAP_SETPCAP has to be effective once more to empty the bounding set and to lock root's powers
   * away.  The wanted sets stay permitted until the end. */
  if (set_capabilities (setpcap, sets->permitted | setpcap, sets->inheritable) < 0)
    return -1;
  for (int i = 0; i < CAPABILITIES; i++)
    if (prctl (PR_CAPBSET_READ, i) == 1 && (sets->bounding & (UINT64_C (1) << i)) == 0
        && prctl (PR_CAPBSET_DROP, i) < 0)
      return -1;
  /* Id 0 without capabilities is to be an id like any other, whatever it executes. */
  if (sets->permitted == 0 && sets->bounding == 0
      && prctl (PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP
                                       | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED
                                       | SECBIT_NO_CAP_AMBIENT_RAISE
                                       | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)
             < 0)
    return -1;
  if (set_capabilities (sets->effective, sets->permitted, sets->inheritable) < 0
      || prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
    return -1;
  for (int i = 0; i < CAPABILITIES; i++)
    if ((sets->ambient & (UINT64_C (1) << i)) != 0
        && prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
      return -1;
  return 0;
}

int
dn_child_enter_cwd (DnChild *child, DnFault *fault)
{
  const char *cwd = child->plan->process->cwd;
  char where[DN_PATH_BYTES + 1];
  int saved_errno;

  if (chdir (cwd) < 0)
    {
      saved_errno = errno;
      /* -ENOTDIR whatever the cause: START and EXEC use the others for the command. */
      return dn_fault_set (fault, -ENOTDIR, "working directory '%.256s': %s", cwd,
                           strerror (saved_errno));
    }
  /* The kernel says "(unreachable)" for a directory outside the root: a cwd of
   * /proc/self/fd/N was such a way out once. */
  if (syscall (SYS_getcwd, where, sizeof where) < 0 || where[0] != '/')
    return dn_fault_set (fault, -ENOTDIR, "working directory '%.256s': is not in the container",
                         cwd);
  return 0;
}

int
dn_child_forbid_new_privileges (DnChild *child, DnFault *fault)
{
  (void) child;
  (void) fault;
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int
dn_child_close_at_exec (DnChild *child, DnFault *fault)
{
  (void) child;
  (void) fault;
  return close_range (3, ~0U, CLOSE_RANGE_CLOEXEC);
}

int
dn_child_load_filter (DnChild *child, DnFault *fault)
{
  struct sock_fprog program = { .len = (unsigned short) child->plan->filter_count,
                                .filter = (struct sock_filter *) child->plan->filter };

  (void) fault;
  /* The flag has the kernel record what it refuses: see audit.h. */
  return (int) syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program);
}
