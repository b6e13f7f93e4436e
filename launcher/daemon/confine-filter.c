/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of danchid and its children, group by group.
 *
 * Found by tracing a danchid through the end-to-end tests, widened within each group to what other
 * versions of libc, GLib and QEMU use for the same end.  What is not here answers ENOSYS, on which
 * libraries fall back.  Not here, on purpose: modules and kexec, bpf, io_uring, userfaultfd,
 * perf_event_open, ptrace and process_vm_*, pidfd_getfd, keyrings, setns, chroot, mknod, file
 * handles, swap, quotas, accounting, the new mount calls, clock setting, names of the host, reboot,
 * ports, personality, fanotify.
 */
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "confine.h"

static const int calls[] = {
  /* Bytes. */
  SCMP_SYS (read),
  SCMP_SYS (readv),
  SCMP_SYS (pread64),
  SCMP_SYS (preadv),
  SCMP_SYS (preadv2),
  SCMP_SYS (write),
  SCMP_SYS (writev),
  SCMP_SYS (pwrite64),
  SCMP_SYS (pwritev),
  SCMP_SYS (pwritev2),
  SCMP_SYS (lseek),
  SCMP_SYS (sendfile),
  SCMP_SYS (splice),
  SCMP_SYS (copy_file_range),
  /* Files by path. */
  SCMP_SYS (open),
  SCMP_SYS (openat),
  SCMP_SYS (openat2),
  SCMP_SYS (creat),
  SCMP_SYS (stat),
  SCMP_SYS (lstat),
  SCMP_SYS (newfstatat),
  SCMP_SYS (statx),
  SCMP_SYS (statfs),
  SCMP_SYS (access),
  SCMP_SYS (faccessat),
  SCMP_SYS (faccessat2),
  SCMP_SYS (readlink),
  SCMP_SYS (readlinkat),
  SCMP_SYS (getcwd),
  SCMP_SYS (chdir),
  SCMP_SYS (fchdir),
  SCMP_SYS (mkdir),
  SCMP_SYS (mkdirat),
  SCMP_SYS (rmdir),
  SCMP_SYS (unlink),
  SCMP_SYS (unlinkat),
  SCMP_SYS (rename),
  SCMP_SYS (renameat),
  SCMP_SYS (renameat2),
  SCMP_SYS (link),
  SCMP_SYS (linkat),
  SCMP_SYS (symlink),
  SCMP_SYS (symlinkat),
  SCMP_SYS (truncate),
  SCMP_SYS (utimensat),
  SCMP_SYS (umask),
  /* Who may use them: owners, modes, ACLs (extended attributes). */
  SCMP_SYS (chown),
  SCMP_SYS (fchown),
  SCMP_SYS (lchown),
  SCMP_SYS (fchownat),
  SCMP_SYS (chmod),
  SCMP_SYS (fchmod),
  SCMP_SYS (fchmodat),
  SCMP_SYS (getxattr),
  SCMP_SYS (lgetxattr),
  SCMP_SYS (fgetxattr),
  SCMP_SYS (setxattr),
  SCMP_SYS (lsetxattr),
  SCMP_SYS (fsetxattr),
  SCMP_SYS (listxattr),
  SCMP_SYS (removexattr),
  SCMP_SYS (fremovexattr),
  /* Open files. */
  SCMP_SYS (close),
  SCMP_SYS (close_range),
  SCMP_SYS (dup),
  SCMP_SYS (dup2),
  SCMP_SYS (dup3),
  SCMP_SYS (fcntl),
  SCMP_SYS (flock),
  SCMP_SYS (fstat),
  SCMP_SYS (fstatfs),
  SCMP_SYS (fadvise64),
  SCMP_SYS (fallocate),
  SCMP_SYS (fdatasync),
  SCMP_SYS (fsync),
  SCMP_SYS (ftruncate),
  SCMP_SYS (getdents64),
  SCMP_SYS (ioctl),
  SCMP_SYS (memfd_create),
  SCMP_SYS (pipe),
  SCMP_SYS (pipe2),
  /* Waiting. */
  SCMP_SYS (poll),
  SCMP_SYS (ppoll),
  SCMP_SYS (select),
  SCMP_SYS (pselect6),
  SCMP_SYS (epoll_create1),
  SCMP_SYS (epoll_ctl),
  SCMP_SYS (epoll_pwait),
  SCMP_SYS (epoll_pwait2),
  SCMP_SYS (epoll_wait),
  SCMP_SYS (eventfd2),
  SCMP_SYS (signalfd4),
  SCMP_SYS (timerfd_create),
  SCMP_SYS (timerfd_gettime),
  SCMP_SYS (timerfd_settime),
  SCMP_SYS (inotify_add_watch),
  SCMP_SYS (inotify_init1),
  SCMP_SYS (inotify_rm_watch),
  /* Sockets; socket(2) itself is below. */
  SCMP_SYS (socketpair),
  SCMP_SYS (bind),
  SCMP_SYS (listen),
  SCMP_SYS (accept),
  SCMP_SYS (accept4),
  SCMP_SYS (connect),
  SCMP_SYS (shutdown),
  SCMP_SYS (getsockname),
  SCMP_SYS (getpeername),
  SCMP_SYS (getsockopt),
  SCMP_SYS (setsockopt),
  SCMP_SYS (recvfrom),
  SCMP_SYS (recvmsg),
  SCMP_SYS (recvmmsg),
  SCMP_SYS (sendto),
  SCMP_SYS (sendmsg),
  SCMP_SYS (sendmmsg),
  /* Memory; mmap(2) and mprotect(2) are below. */
  SCMP_SYS (brk),
  SCMP_SYS (munmap),
  SCMP_SYS (mremap),
  SCMP_SYS (madvise),
  SCMP_SYS (membarrier),
  SCMP_SYS (mlock),
  SCMP_SYS (mlock2),
  SCMP_SYS (munlock),
  SCMP_SYS (msync),
  SCMP_SYS (get_mempolicy),
  /* Threads, processes, signals. */
  SCMP_SYS (clone),
  SCMP_SYS (clone3),
  SCMP_SYS (fork),
  SCMP_SYS (vfork),
  SCMP_SYS (execve),
  SCMP_SYS (wait4),
  SCMP_SYS (waitid),
  SCMP_SYS (exit),
  SCMP_SYS (exit_group),
  SCMP_SYS (kill),
  SCMP_SYS (tgkill),
  SCMP_SYS (pidfd_open),
  SCMP_SYS (pidfd_send_signal),
  SCMP_SYS (rt_sigaction),
  SCMP_SYS (rt_sigpending),
  SCMP_SYS (rt_sigprocmask),
  SCMP_SYS (rt_sigreturn),
  SCMP_SYS (rt_sigsuspend),
  SCMP_SYS (rt_sigtimedwait),
  SCMP_SYS (sigaltstack),
  SCMP_SYS (restart_syscall),
  SCMP_SYS (futex),
  SCMP_SYS (futex_waitv),
  SCMP_SYS (set_robust_list),
  SCMP_SYS (get_robust_list),
  SCMP_SYS (set_tid_address),
  SCMP_SYS (rseq),
  SCMP_SYS (arch_prctl),
  SCMP_SYS (prctl),
  SCMP_SYS (sched_getaffinity),
  SCMP_SYS (sched_setaffinity),
  SCMP_SYS (sched_getattr),
  SCMP_SYS (sched_setattr),
  SCMP_SYS (sched_getparam),
  SCMP_SYS (sched_getscheduler),
  SCMP_SYS (sched_yield),
  SCMP_SYS (getcpu),
  SCMP_SYS (getpgid),
  SCMP_SYS (getpgrp),
  SCMP_SYS (getpid),
  SCMP_SYS (getppid),
  SCMP_SYS (getpriority),
  SCMP_SYS (getsid),
  SCMP_SYS (gettid),
  SCMP_SYS (getrlimit),
  SCMP_SYS (setrlimit),
  SCMP_SYS (prlimit64),
  SCMP_SYS (getrusage),
  SCMP_SYS (sysinfo),
  SCMP_SYS (times),
  SCMP_SYS (uname),
  /* Time and chance. */
  SCMP_SYS (clock_getres),
  SCMP_SYS (clock_gettime),
  SCMP_SYS (clock_nanosleep),
  SCMP_SYS (gettimeofday),
  SCMP_SYS (nanosleep),
  SCMP_SYS (time),
  SCMP_SYS (alarm),
  SCMP_SYS (timer_create),
  SCMP_SYS (timer_delete),
  SCMP_SYS (timer_settime),
  SCMP_SYS (getrandom),
  /* Ids, ours and our callers'. */
  SCMP_SYS (getuid),
  SCMP_SYS (geteuid),
  SCMP_SYS (getgid),
  SCMP_SYS (getegid),
  SCMP_SYS (getresuid),
  SCMP_SYS (getresgid),
  SCMP_SYS (getgroups),
  /* The relay's lockdown, before it loads the filter of its own; QEMU's own sandbox. */
  SCMP_SYS (setsid),
  SCMP_SYS (unshare),
  SCMP_SYS (mount),
  SCMP_SYS (umount2),
  SCMP_SYS (pivot_root),
  SCMP_SYS (setgroups),
  SCMP_SYS (setgid),
  SCMP_SYS (setresgid),
  SCMP_SYS (setresuid),
  SCMP_SYS (setuid),
  SCMP_SYS (capget),
  SCMP_SYS (capset),
  SCMP_SYS (seccomp),
};

/* Compared by equality under a refusing default: a dirty upper half of the register is refused. */
static const int families[] = { AF_UNIX, AF_VSOCK };

static int
allow_sockets (scmp_filter_ctx filter)
{
  int r = 0;

  for (size_t i = 0; r == 0 && i < sizeof families / sizeof families[0]; i++)
    r = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (socket), 1,
                          SCMP_A0 (SCMP_CMP_EQ, (scmp_datum_t) families[i]));
  return r;
}

/* Writable or executable, not both: three of the four combinations. */
static int
allow_memory (scmp_filter_ctx filter, int call)
{
  static const scmp_datum_t fine[] = { 0, PROT_WRITE, PROT_EXEC };
  int r = 0;

  for (size_t i = 0; r == 0 && i < sizeof fine / sizeof fine[0]; i++)
    r = seccomp_rule_add (filter, SCMP_ACT_ALLOW, call, 1,
                          SCMP_A2 (SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, fine[i]));
  return r;
}

int
dn_confine_load_filter (void)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ERRNO (ENOSYS));
  int r = filter == NULL ? -ENOMEM : 0;

  /* Other architectures' calls would be a second list to get right. */
  if (r == 0)
    r = seccomp_attr_set (filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  /* A binary tree: two hundred comparisons for each call otherwise. */
  if (r == 0)
    r = seccomp_attr_set (filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (size_t i = 0; r == 0 && i < sizeof calls / sizeof calls[0]; i++)
    r = seccomp_rule_add (filter, SCMP_ACT_ALLOW, calls[i], 0);
  if (r == 0)
    r = allow_sockets (filter);
  if (r == 0)
    r = allow_memory (filter, SCMP_SYS (mmap));
  if (r == 0)
    r = allow_memory (filter, SCMP_SYS (mprotect));
  if (r == 0)
    r = seccomp_load (filter);
  seccomp_release (filter);
  return r;
}
