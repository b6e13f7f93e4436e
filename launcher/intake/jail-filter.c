/* SPDX-License-Identifier: Apache-2.0 */
/* The jail's system calls: an allowlist; any other is ENOSYS, on which libraries and Go's runtime
 * fall back.
 *
 * Found by tracing skopeo, gpgv and minisign, widened within each group to what other versions of
 * libc and Go use for the same end.  Not here, on purpose: mounts, namespaces, ids, capabilities,
 * ptrace, keyrings, bpf, io_uring, memory that is writable and executable at once, sockets but
 * those of the internet.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "jail.h"

static const int calls[] = {
  /* Bytes. */
  SCMP_SYS (read),
  SCMP_SYS (readv),
  SCMP_SYS (pread64),
  SCMP_SYS (write),
  SCMP_SYS (writev),
  SCMP_SYS (pwrite64),
  SCMP_SYS (lseek),
  SCMP_SYS (sendfile),
  SCMP_SYS (splice),
  SCMP_SYS (copy_file_range),
  /* Files by path. */
  SCMP_SYS (open),
  SCMP_SYS (openat),
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
  SCMP_SYS (symlinkat),
  SCMP_SYS (utimensat),
  SCMP_SYS (umask),
  SCMP_SYS (chmod),
  SCMP_SYS (fchmod),
  SCMP_SYS (fchmodat),
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
  SCMP_SYS (pipe),
  SCMP_SYS (pipe2),
  /* Waiting. */
  SCMP_SYS (poll),
  SCMP_SYS (ppoll),
  SCMP_SYS (select),
  SCMP_SYS (pselect6),
  SCMP_SYS (epoll_create),
  SCMP_SYS (epoll_create1),
  SCMP_SYS (epoll_ctl),
  SCMP_SYS (epoll_pwait),
  SCMP_SYS (epoll_pwait2),
  SCMP_SYS (epoll_wait),
  SCMP_SYS (eventfd2),
  /* Memory; mmap(2) and mprotect(2) are below. */
  SCMP_SYS (brk),
  SCMP_SYS (munmap),
  SCMP_SYS (mremap),
  SCMP_SYS (madvise),
  SCMP_SYS (mincore),
  SCMP_SYS (membarrier),
  /* gpgv keeps what it may from being written to a disk. */
  SCMP_SYS (mlock),
  SCMP_SYS (munlock),
  /* Threads, processes, signals; clone(2) is below. */
  SCMP_SYS (fork),
  SCMP_SYS (vfork),
  SCMP_SYS (execve),
  SCMP_SYS (wait4),
  SCMP_SYS (waitid),
  SCMP_SYS (exit),
  SCMP_SYS (exit_group),
  SCMP_SYS (kill),
  SCMP_SYS (tkill),
  SCMP_SYS (tgkill),
  SCMP_SYS (rt_sigaction),
  SCMP_SYS (rt_sigpending),
  SCMP_SYS (rt_sigprocmask),
  SCMP_SYS (rt_sigreturn),
  SCMP_SYS (rt_sigsuspend),
  SCMP_SYS (rt_sigtimedwait),
  SCMP_SYS (sigaltstack),
  SCMP_SYS (restart_syscall),
  SCMP_SYS (setpgid),
  SCMP_SYS (futex),
  SCMP_SYS (set_robust_list),
  SCMP_SYS (get_robust_list),
  SCMP_SYS (set_tid_address),
  SCMP_SYS (rseq),
  SCMP_SYS (arch_prctl),
  SCMP_SYS (prctl),
  SCMP_SYS (sched_getaffinity),
  SCMP_SYS (sched_yield),
  SCMP_SYS (getcpu),
  SCMP_SYS (getpgid),
  SCMP_SYS (getpgrp),
  SCMP_SYS (getpid),
  SCMP_SYS (getppid),
  SCMP_SYS (getpriority),
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
  SCMP_SYS (setitimer),
  SCMP_SYS (timer_create),
  SCMP_SYS (timer_delete),
  SCMP_SYS (timer_settime),
  SCMP_SYS (getrandom),
  /* Ids, our own. */
  SCMP_SYS (getuid),
  SCMP_SYS (geteuid),
  SCMP_SYS (getgid),
  SCMP_SYS (getegid),
  SCMP_SYS (getresuid),
  SCMP_SYS (getresgid),
  SCMP_SYS (getgroups),
};

/* Only where the network is the host's; socket(2) itself is below. */
static const int network_calls[] = {
  SCMP_SYS (bind),        SCMP_SYS (connect),    SCMP_SYS (shutdown),   SCMP_SYS (getsockname),
  SCMP_SYS (getpeername), SCMP_SYS (getsockopt), SCMP_SYS (setsockopt), SCMP_SYS (recvfrom),
  SCMP_SYS (recvmsg),     SCMP_SYS (recvmmsg),   SCMP_SYS (sendto),     SCMP_SYS (sendmsg),
  SCMP_SYS (sendmmsg),
};

static int
allow_all (scmp_filter_ctx filter, const int *list, size_t count)
{
  int r = 0;

  for (size_t i = 0; r == 0 && i < count; i++)
    r = seccomp_rule_add (filter, SCMP_ACT_ALLOW, list[i], 0);
  return r;
}

/* Streams and datagrams, without listen(2) and accept(2): nobody can call here. */
static int
allow_sockets (scmp_filter_ctx filter)
{
  static const scmp_datum_t families[] = { AF_INET, AF_INET6 };
  static const scmp_datum_t types[] = { SOCK_STREAM, SOCK_DGRAM };
  int r = allow_all (filter, network_calls, sizeof network_calls / sizeof network_calls[0]);

  for (size_t i = 0; r == 0 && i < 4; i++)
    r = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (socket), 2,
                          SCMP_A0 (SCMP_CMP_EQ, families[i / 2]),
                          SCMP_A1 (SCMP_CMP_MASKED_EQ, 0xf, types[i % 2]));
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

/* Threads and processes, no namespaces.  clone3(2) has its flags in memory, where no filter can see
 * them: it is ENOSYS, and libc takes this one. */
static int
allow_clone (scmp_filter_ctx filter)
{
  const scmp_datum_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC
                              | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

  return seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (clone), 1,
                           SCMP_A0 (SCMP_CMP_MASKED_EQ, spaces, 0));
}

int
dn_jail_load_filter (bool has_network)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ERRNO (ENOSYS));
  int r = filter == NULL ? -ENOMEM : 0;

  /* Other architectures' calls would be a second list to get right. */
  if (r == 0)
    r = seccomp_attr_set (filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  /* A binary tree: a hundred comparisons for each call otherwise. */
  if (r == 0)
    r = seccomp_attr_set (filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (r == 0)
    r = allow_all (filter, calls, sizeof calls / sizeof calls[0]);
  if (r == 0 && has_network)
    r = allow_sockets (filter);
  if (r == 0)
    r = allow_clone (filter);
  if (r == 0)
    r = allow_memory (filter, SCMP_SYS (mmap));
  if (r == 0)
    r = allow_memory (filter, SCMP_SYS (mprotect));
  if (r == 0)
    r = seccomp_load (filter);
  seccomp_release (filter);
  return r;
}
