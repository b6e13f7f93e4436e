/* SPDX-License-Identifier: Apache-2.0 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"
#include "filter.h"
#include "id-map.h"
#include "process-facts.h"
#include "root.h"

#define LISTEN_FD 3
#define PRIVATE_BYTES (512ull * 1024 * 1024)
#define SPACES                                                                                     \
  (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWNET)

/* Of its user namespace, until its own lockdown takes the last two away: what it needs to serve
 * files of several owners, to give up capabilities, and to change its root. */
static const unsigned kept[] = { CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,    CAP_SETGID,
                                 CAP_SETUID, CAP_SETPCAP,      CAP_SYS_CHROOT };

/* What the child says before its program runs: which step failed, with errno. */
typedef struct
{
  char step[32];
  int code;
} Failure;

typedef struct
{
  const char *program;
  const DnShareOrder *order;
  int listen_fd;
  int maps_fd;  /* a byte comes when the id maps are written */
  int ready_fd; /* a byte goes when there is a user namespace; then a Failure, or the end */
} Child;

static int
limit_resources (void)
{
  const struct
  {
    int resource;
    rlim_t limit;
  } limits[] = {
    { RLIMIT_CORE, 0 }, /* the guest's memory is mapped */
    { RLIMIT_NOFILE, DN_SHARE_DESCRIPTORS_MAX },
    { RLIMIT_MSGQUEUE, 0 },
    { RLIMIT_MEMLOCK, 0 },
#ifndef __SANITIZE_ADDRESS__
    { RLIMIT_DATA, PRIVATE_BYTES }, /* not RLIMIT_AS: the guest's memory is mapped */
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

/* From the host's root to that of a user namespace, whose 0 is the context's uid outside. */
static int
change_ids (const Child *child)
{
  char byte = 0;

  if (setgroups (0, NULL) < 0 || unshare (CLONE_NEWUSER) < 0)
    return -errno;
  if (write (child->ready_fd, "", 1) != 1 || read (child->maps_fd, &byte, 1) != 1)
    return -EPIPE;
  if (setresgid (0, 0, 0) < 0 || setresuid (0, 0, 0) < 0)
    return -errno;
  return 0;
}

/* execve(2) gives root what is in the bounding set. */
static int
bound_capabilities (void)
{
  for (unsigned i = 0; i < 64; i++)
    {
      bool is_kept = false;

      for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++)
        is_kept = is_kept || kept[k] == i;
      if (!is_kept && prctl (PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && errno != EINVAL)
        return -errno;
    }
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int
arrange_descriptors (const Child *child)
{
  /* Its notes are about what a guest sends, and would be in somebody's log. */
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  if (null < 0 || dup2 (null, 0) < 0 || dup2 (null, 1) < 0 || dup2 (null, 2) < 0)
    return -errno;
  if (dup2 (child->listen_fd, LISTEN_FD) < 0)
    return -errno;
  return fcntl (LISTEN_FD, F_SETFD, 0) < 0 ? -errno : 0;
}

static _Noreturn void
fail (const Child *child, const char *step, int r)
{
  Failure failure = { .code = -r };

  (void) snprintf (failure.step, sizeof failure.step, "%s", step);
  (void) !write (child->ready_fd, &failure, sizeof failure);
  _exit (EXIT_FAILURE);
}

/* The order is the security argument: a step may rely only on those above it. */
static _Noreturn void
become_virtiofsd (const Child *child)
{
  static const char *const none[] = { NULL };
  static const char *const preload[] = { "LD_PRELOAD=" DN_SHARE_PRELOAD, NULL };
  const bool is_pods = dn_share_order_is_pods (child->order);
  const char *step = "";
  const char *argv[]
      = { "virtiofsd", "--fd=3", "-f", "--thread-pool-size=0", "--rlimit-nofile=0", "-o",
          "log_level=err", "-o", "source=/share,sandbox=chroot,modcaps=-mknod:-setfcap:-fsetid",
          /* Writes of others are seen within a second; locks, attributes and ACLs
           * are the guest's own affair; each bind is a file system of its own. */
          "-o", "cache=auto,no_writeback,no_xattr,no_posix_lock,no_flock,no_posix_acl", "-o",
          "announce_submounts", NULL };
  int r;

  (void) setsid ();
  (void) signal (SIGPIPE, SIG_DFL);
  (void) signal (SIGCHLD, SIG_DFL);
  if ((r = arrange_descriptors (child)) < 0)
    fail (child, "descriptors", r);
  if ((r = dn_share_root_enter (child->program, is_pods, &step)) < 0)
    fail (child, step, r);
  if ((r = limit_resources ()) < 0)
    fail (child, "limits", r);
  if ((r = change_ids (child)) < 0)
    fail (child, "ids", r);
  if ((r = bound_capabilities ()) < 0)
    fail (child, "capabilities", r);
  if ((r = dn_share_filter_load (is_pods)) < 0)
    fail (child, "filter", r);
  (void) execve (child->program, (char *const *) argv, (char *const *) (is_pods ? preload : none));
  fail (child, "execve", -errno);
}

/* Reads what the child says, to its end.  Returns: 0, or -errno with @ret_failure's step */
static int
await (int fd, Failure *ret_failure)
{
  ssize_t n = read (fd, ret_failure, sizeof *ret_failure);

  if (n == 0)
    return 0;
  if (n == (ssize_t) sizeof *ret_failure)
    {
      ret_failure->step[sizeof ret_failure->step - 1] = '\0';
      return -ret_failure->code;
    }
  (void) snprintf (ret_failure->step, sizeof ret_failure->step, "its first words");
  return -EPROTO;
}

/* The parent's side of change_ids().  One byte first, or a failure before that. */
static int
await_namespace (int fd, Failure *ret_failure)
{
  char byte[sizeof *ret_failure];
  ssize_t n = read (fd, byte, sizeof byte);

  if (n == 1)
    return 0;
  (void) snprintf (ret_failure->step, sizeof ret_failure->step, "namespaces");
  if (n != (ssize_t) sizeof *ret_failure)
    return -EPIPE;
  memcpy (ret_failure, byte, sizeof byte);
  ret_failure->step[sizeof ret_failure->step - 1] = '\0';
  return -ret_failure->code;
}

static int
see_to_child (pid_t pid, const DnShareOrder *order, int ready_fd, int maps_fd, Failure *ret_failure)
{
  int r = await_namespace (ready_fd, ret_failure);

  if (r < 0)
    return r;
  (void) snprintf (ret_failure->step, sizeof ret_failure->step, "id maps");
  if ((r = dn_share_write_maps (pid, order->process.uid, order->process.gid)) < 0)
    return r;
  if (write (maps_fd, "", 1) != 1)
    return -EPIPE;
  return await (ready_fd, ret_failure);
}

void
dn_share_start (const DnShareOrder *order, int listen_fd, DnShareAnswer *ret_answer)
{
  Child child = { .program = dn_share_find_program (), .order = order, .listen_fd = listen_fd };
  Failure failure = { 0 };
  int ready[2], maps[2], r;
  pid_t pid;

  if (child.program == NULL)
    {
      dn_share_refuse (ret_answer, ENOENT,
                       "there is no virtiofsd on this host\ninstall package qemu-system-common");
      return;
    }
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ready) < 0
      || socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, maps) < 0)
    {
      dn_share_refuse (ret_answer, errno, "sockets: %s", strerror (errno));
      return;
    }
  pid = (pid_t) syscall (SYS_clone, SPACES | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0)
    {
      child.maps_fd = maps[1];
      child.ready_fd = ready[1];
      (void) close (maps[0]);
      (void) close (ready[0]);
      become_virtiofsd (&child);
    }
  (void) close (ready[1]);
  (void) close (maps[1]);
  (void) snprintf (failure.step, sizeof failure.step, "namespaces");
  r = pid < 0 ? -errno : see_to_child (pid, order, ready[0], maps[0], &failure);
  if (r < 0)
    {
      if (pid > 0)
        (void) kill (pid, SIGKILL);
      dn_share_refuse (ret_answer, -r, "its jail: %s: %s", failure.step, strerror (-r));
      return;
    }
  ret_answer->pid = pid;
  ret_answer->ticks = dn_share_process_ticks (pid);
}
