/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper-child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pod-keeper.h"
#include "sync.h"

#define CAPABILITIES 64
#define EXIT_CANNOT_RUN 127

typedef struct
{
  const char *run_dir;
  int sync_fd;
  int program;
} Keeper;

typedef struct
{
  const char *name;
  int (*run) (const Keeper *keeper);
} Step;

/* The agent has a hundred of them open. */
static int
close_others (const Keeper *keeper)
{
  unsigned low = (unsigned) keeper->sync_fd, high = (unsigned) keeper->program;

  if (low > high)
    {
      low = (unsigned) keeper->program;
      high = (unsigned) keeper->sync_fd;
    }
  if ((low > 3 && close_range (3, low - 1, 0) < 0)
      || (high > low + 1 && close_range (low + 1, high - 1, 0) < 0))
    return -1;
  return close_range (high + 1, ~0U, 0);
}

/* Before that no id of ours is mapped, where the namespaces are new. */
static int
await_ids (const Keeper *keeper)
{
  sigset_t none;

  if (dn_sync_await_order (keeper->sync_fd, DN_SYNC_PREPARE, NULL) < 0)
    return -1;
  (void) sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);
  (void) signal (SIGPIPE, SIG_DFL);
  if (setgroups (0, NULL) < 0 || setresgid (0, 0, 0) < 0 || setresuid (0, 0, 0) < 0)
    return -1;
  return prctl (PR_SET_DUMPABLE, 0) < 0 || setsid () < 0 ? -1 : 0;
}

/* No path leads to the guest, or to anything. */
static int
empty_root (const Keeper *keeper)
{
  char path[512];

  (void) snprintf (path, sizeof path, "%s/root", keeper->run_dir);
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
      || mount ("none", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                "size=4096,nr_inodes=2,mode=555")
             < 0
      || chdir (path) < 0 || syscall (SYS_pivot_root, ".", ".") < 0
      || umount2 (".", MNT_DETACH) < 0)
    return -1;
  return chdir ("/");
}

static int
join_keyring (const Keeper *keeper)
{
  (void) keeper;
  return syscall (SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS ? -1 : 0;
}

static int
drop_rights (const Keeper *keeper)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  const struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

  (void) keeper;
  /* The bounding set while CAP_SETPCAP is there; ids before the rest, which they need. */
  for (int i = 0; i < CAPABILITIES; i++)
    if (prctl (PR_CAPBSET_READ, i) == 1 && prctl (PR_CAPBSET_DROP, i) < 0)
      return -1;
  if (setresgid (DN_POD_KEEPER_ID, DN_POD_KEEPER_ID, DN_POD_KEEPER_ID) < 0
      || setresuid (DN_POD_KEEPER_ID, DN_POD_KEEPER_ID, DN_POD_KEEPER_ID) < 0
      || syscall (SYS_capset, &header, none) < 0)
    return -1;
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* 0 and 2 are the agent's /dev/null or the guest's console, which it has no use for. */
static int
arrange_descriptors (const Keeper *keeper)
{
  (void) close (0);
  (void) close (2);
  return dup2 (keeper->sync_fd, 1) < 0 ? -1 : close_range (3, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* The order is the security argument: child.c. */
static const Step steps[] = {
  { "close the agent's descriptors", close_others }, { "become the pod's root", await_ids },
  { "leave the guest's root", empty_root },          { "join a fresh keyring", join_keyring },
  { "drop ids and capabilities", drop_rights },      { "arrange descriptors", arrange_descriptors },
};

_Noreturn static void
fail (int sync_fd, const char *step)
{
  DnSyncReport report;

  memset (&report, 0, sizeof report);
  report.kind = DN_SYNC_FAULT;
  (void) dn_fault_set_errno (&report.fault, "the pod's first process: %s", step);
  (void) dn_sync_report (sync_fd, &report, -1);
  _exit (EXIT_CANNOT_RUN);
}

_Noreturn void
dn_keeper_child_run (const char *run_dir, int sync_fd, int program)
{
  const Keeper keeper = { run_dir, sync_fd, program };
  char *const args[] = { (char *) "danchi-keeper", NULL };
  char *const env[] = { NULL };

  (void) prctl (PR_SET_DUMPABLE, 0);
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
    if (steps[i].run (&keeper) < 0)
      fail (sync_fd, steps[i].name);
  (void) execveat (program, "", args, env, AT_EMPTY_PATH);
  fail (sync_fd, "run danchi-keeper");
}
