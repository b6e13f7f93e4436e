/* SPDX-License-Identifier: Apache-2.0 */
#include "lockdown.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/no-rights.h"
#include "say.h"

/* Of /proc/self/status, opened before that path is gone. */
static int status_fd = -1;
static bool is_privileged;

static int
open_evidence (const DnLockdown *plan)
{
  int null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  unsigned first = (unsigned) plan->fd_last + 1;

  if (plan->uid == 0 || plan->gid == 0)
    return -EINVAL;
  is_privileged = geteuid () == 0;
  /* Standard input and output carry nothing; standard error is a log. */
  if (null_fd < 0 || dup2 (null_fd, STDIN_FILENO) < 0 || dup2 (null_fd, STDOUT_FILENO) < 0)
    return -errno;
  /* Nothing that the starter forgot to close comes along, not even that very descriptor. */
  if (close_range (first, ~0u, 0) < 0)
    return -errno;
  status_fd = open ("/proc/self/status", O_RDONLY | O_CLOEXEC);
  return status_fd < 0 ? -errno : 0;
}

static int
limit_resources (const DnLockdown *plan)
{
  const struct
  {
    int resource;
    rlim_t limit;
  } limits[] = {
    { RLIMIT_CORE, 0 }, /* a core would hold tenants' bytes */
    { RLIMIT_NOFILE, plan->fds_max },
    { RLIMIT_FSIZE, plan->file_max_bytes },
    { RLIMIT_NPROC, 0 },
#ifndef __SANITIZE_ADDRESS__ /* it maps terabytes of shadow */
    { RLIMIT_AS, plan->memory_max_bytes },
#endif
  };

  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
    {
      struct rlimit limit;

      /* Never above what we were given: raising takes a right that not every root has. */
      if (getrlimit (limits[i].resource, &limit) < 0)
        return -errno;
      limit.rlim_max = limits[i].limit < limit.rlim_max ? limits[i].limit : limit.rlim_max;
      limit.rlim_cur = limit.rlim_max;
      if (setrlimit (limits[i].resource, &limit) < 0)
        return -errno;
    }
  return 0;
}

static int
leave_session (const DnLockdown *plan)
{
  (void) plan;
  (void) umask (0077);
  /* EPERM: we lead a session already, danchid made it for us. */
  return setsid () < 0 && errno != EPERM ? -errno : 0;
}

static int
write_file (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : write (fd, text, strlen (text));
  int r = n == (ssize_t) strlen (text) ? 0 : -errno;

  if (fd >= 0)
    (void) close (fd);
  return r;
}

/* An ordinary user's way to the rights that the next steps need: over nothing but this process.
 * The one id is mapped to itself, so nothing is gained on the host's files. */
static int
enter_user_namespace (const DnLockdown *plan)
{
  char map[64];
  int r;

  if (is_privileged)
    return 0;
  if (plan->uid != geteuid () || plan->gid != getegid ())
    return -EPERM;
  if (unshare (CLONE_NEWUSER) < 0)
    return -errno;
  (void) snprintf (map, sizeof map, "%u %u 1\n", plan->uid, plan->uid);
  r = write_file ("/proc/self/uid_map", map);
  if (r == 0)
    r = write_file ("/proc/self/setgroups", "deny");
  (void) snprintf (map, sizeof map, "%u %u 1\n", plan->gid, plan->gid);
  return r < 0 ? r : write_file ("/proc/self/gid_map", map);
}

static int
leave_namespaces (const DnLockdown *plan)
{
  (void) plan;
  if (unshare (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
    return -errno;
  /* libcap-ng reads the kernel's highest capability from /proc the first time: while it can. */
  capng_clear (CAPNG_SELECT_ALL);
  return 0;
}

static int
empty_root (const DnLockdown *plan)
{
  const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

  /* Private first: nothing mounted below may spread to the host. */
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
      || mount ("danchi-empty", plan->empty_dir, "tmpfs", flags, "size=4k,nr_inodes=1,mode=0555")
             < 0
      || chdir (plan->empty_dir) < 0
      || mount (NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0)
    return -errno;
  /* pivot_root(2), "pivot_root(".", ".")": the old root ends up over the new one and is let go. */
  if (syscall (SYS_pivot_root, ".", ".") < 0 || umount2 (".", MNT_DETACH) < 0 || chdir ("/") < 0)
    return -errno;
  return access ("/proc", F_OK) == 0 || errno != ENOENT ? -EPERM : 0;
}

/* One call for ids and capabilities: after a plain setresuid(2) the bounding set would silently
 * stay full. */
static int
drop_ids_and_capabilities (const DnLockdown *plan)
{
  unsigned flags = CAPNG_CLEAR_BOUNDING | (is_privileged ? CAPNG_DROP_SUPP_GRP : 0);
  int code;

  capng_clear (CAPNG_SELECT_ALL);
  code = capng_change_id ((int) plan->uid, (int) plan->gid, (capng_flags_t) flags);
  if (code < 0) /* a private code, not -errno: capng_change_id(3) */
    {
      dn_say ("capng_change_id() failed with code %d", code);
      return -EPERM;
    }
  return 0;
}

static int
forbid_new_privileges (const DnLockdown *plan)
{
  (void) plan;
  /* Not dumpable: no process of the same uid (this guest's QEMU) may trace us. */
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
    return -errno;
  return 0;
}

static int
load_filter (const DnLockdown *plan)
{
  return plan->load_filter ();
}

static int
verify_from_the_kernel (const DnLockdown *plan)
{
  const DnNoRights promised
      = { .uid = plan->uid, .gid = plan->gid, .may_have_groups = !is_privileged };
  int r = dn_no_rights_check (status_fd, &promised);

  (void) close (status_fd);
  status_fd = -1;
  return r;
}

/* The order is the security argument: a step may rely only on the steps above it. */
static const struct
{
  const char *name;
  int (*run) (const DnLockdown *plan);
} steps[] = {
  /* Needs /dev and /proc; gives up descriptors that are none of ours. */
  { "open-evidence", open_evidence },
  /* Needs nothing; gives up cores, descriptors, file size, children, memory. */
  { "limit-resources", limit_resources },
  /* Needs nothing; gives up the controlling terminal and signals from it. */
  { "leave-session", leave_session },
  /* For an ordinary user alone: the rights for the next two steps, over itself. */
  { "enter-user-namespace", enter_user_namespace },
  /* Needs CAP_SYS_ADMIN; gives up the host's network, IPC, names and mounts. */
  { "leave-namespaces", leave_namespaces },
  /* Needs CAP_SYS_ADMIN and mounts of our own; gives up every file. */
  { "empty-root", empty_root },
  /* Needs CAP_SETUID, CAP_SETGID, CAP_SETPCAP; gives up root, groups and all capabilities.  After
   * the mounts, which need them. */
  { "drop-ids-and-capabilities", drop_ids_and_capabilities },
  /* Needs nothing; gives up gaining rights through execve(2), and being looked into. */
  { "forbid-new-privileges", forbid_new_privileges },
  /* Needs no_new_privs, CAP_SYS_ADMIN being gone; gives up every unlisted call.  After the others,
   * so that it need allow none of theirs. */
  { "load-filter", load_filter },
  /* Success codes are not evidence. */
  { "verify-from-the-kernel", verify_from_the_kernel },
};

int
dn_lockdown_run (const DnLockdown *plan, const char **ret_step)
{
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
    {
      int r = steps[i].run (plan);

      if (r < 0)
        {
          *ret_step = steps[i].name;
          return r;
        }
    }
  return 0;
}
