/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of danchi-gateway: found by tracing it through tests/network. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "../confined/allowlist.h"
#include "lockdown.h"

static const DnAllowed rules[] = {
  /* Bytes. */
  DN_ALLOW (lseek),
  DN_ALLOW (read),
  DN_ALLOW (recvfrom),
  DN_ALLOW (recvmsg),
  DN_ALLOW (sendmsg),
  DN_ALLOW (sendto),
  DN_ALLOW (write),
  DN_ALLOW (writev),

  /* Files: there are /proc/sys/net and /dev/net/tun. */
  DN_ALLOW (access),
  DN_ALLOW (faccessat),
  DN_ALLOW (faccessat2),
  DN_ALLOW (fstat),
  DN_ALLOW (getcwd),
  DN_ALLOW (newfstatat),
  DN_ALLOW (open),
  DN_ALLOW (openat),
  DN_ALLOW (readlink),
  DN_ALLOW (readlinkat),

  /* Descriptors. */
  DN_ALLOW (close),
  DN_ALLOW (close_range),
  DN_ALLOW (dup3),
  DN_ALLOW (fcntl),
  DN_ALLOW (poll),
  DN_ALLOW (ppoll),
  DN_ALLOW (pselect6),
  DN_ALLOW (select),

  /* Taps, and names and numbers of devices. */
  DN_ALLOW_ONLY (ioctl, 1, SCMP_CMP_EQ, SIOCGIFINDEX, 0),
  DN_ALLOW_ONLY (ioctl, 1, SCMP_CMP_EQ, SIOCGIFNAME, 0),
  DN_ALLOW_ONLY (ioctl, 1, SCMP_CMP_EQ, SIOCSIFHWADDR, 0),
  DN_ALLOW_ONLY (ioctl, 1, SCMP_CMP_EQ, SIOCSIFMTU, 0),
  DN_ALLOW_ONLY (ioctl, 1, SCMP_CMP_EQ, TUNSETIFF, 0),
  DN_ALLOW_ONLY (ioctl, 1, SCMP_CMP_EQ, TUNSETOWNER, 0),
  DN_ALLOW_ONLY (ioctl, 1, SCMP_CMP_EQ, TUNSETPERSIST, 0),

  /* Sockets: no raw ones, no packets. */
  DN_ALLOW_PAIR (socket, 0, AF_NETLINK, 2, NETLINK_NETFILTER),
  DN_ALLOW_PAIR (socket, 0, AF_NETLINK, 2, NETLINK_ROUTE),
  DN_ALLOW_PAIR (socket, 0, AF_INET, 1, SOCK_DGRAM | SOCK_CLOEXEC),
  DN_ALLOW_PAIR (socket, 0, AF_INET, 1, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK),
  DN_ALLOW_PAIR (socket, 0, AF_INET, 1, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK),
  DN_ALLOW_PAIR (socket, 0, AF_INET6, 1, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK),
  DN_ALLOW_PAIR (socket, 0, AF_INET6, 1, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK),
  /* glibc's if_nametoindex(3), and what only one order at a time has (orders.c). */
  DN_ALLOW_PAIR (socket, 0, AF_UNIX, 1, SOCK_DGRAM | SOCK_CLOEXEC),
  DN_ALLOW (accept4),
  DN_ALLOW (bind),
  DN_ALLOW (connect),
  DN_ALLOW (getsockname),
  DN_ALLOW (getsockopt),
  DN_ALLOW (listen),
  DN_ALLOW (setsockopt),

  /* Orders are carried out in a process each, with a time limit. */
  DN_ALLOW (clock_nanosleep),
  DN_ALLOW (alarm),
  DN_ALLOW (clone),
  DN_ALLOW (fork),
  DN_ALLOW (setitimer),
  DN_ALLOW (wait4),
  DN_ALLOW (exit),
  DN_ALLOW (exit_group),
  DN_ALLOW (set_robust_list),
  DN_ALLOW (rseq),

  /* Memory, never executable. */
  DN_ALLOW (brk),
  DN_ALLOW (madvise),
  DN_ALLOW_ONLY (mmap, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
  DN_ALLOW_ONLY (mprotect, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
  DN_ALLOW (mremap),
  DN_ALLOW (munmap),

  /* Who and when; signals. */
  DN_ALLOW (clock_gettime),
  DN_ALLOW (futex),
  DN_ALLOW (getegid),
  DN_ALLOW (geteuid),
  DN_ALLOW (getgid),
  DN_ALLOW (getpid),
  DN_ALLOW (getrandom),
  DN_ALLOW (getuid),
  DN_ALLOW (gettid),
  DN_ALLOW (gettimeofday),
  DN_ALLOW (restart_syscall),
  DN_ALLOW (rt_sigaction),
  DN_ALLOW (rt_sigprocmask),
  DN_ALLOW (rt_sigreturn),
  DN_ALLOW (tgkill),
  DN_ALLOW (time),
  DN_ALLOW (uname),
  /* For the reading back, through the one descriptor of it. */
  DN_ALLOW (pread64),
};

/* libnftables takes a number of a user for a name first, and libc asks nscd for it. */
static const DnAllowed refused[] = {
  DN_ALLOW_PAIR (socket, 0, AF_UNIX, 1, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK),
};

/* What the door needs besides, all of it for the process of one order, on its way to the
 * filter above, which is loaded over this one. */
static const DnAllowed door_rules[] = {
  DN_ALLOW (capget),
  DN_ALLOW (capset),
  DN_ALLOW_ONLY (prctl, 0, SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS, 0),
  DN_ALLOW_ONLY (prctl, 0, SCMP_CMP_EQ, PR_SET_SECCOMP, 0),
  DN_ALLOW (seccomp),
  DN_ALLOW_ONLY (setns, 1, SCMP_CMP_EQ, CLONE_NEWNET, 0),
};

int
dn_gateway_load_filter (void)
{
  return dn_allowlist_load_refusing (rules, sizeof rules / sizeof rules[0], refused,
                                     sizeof refused / sizeof refused[0]);
}

int
dn_door_load_filter (void)
{
  const size_t common = sizeof rules / sizeof rules[0];
  const size_t own = sizeof door_rules / sizeof door_rules[0];
  DnAllowed all[sizeof rules / sizeof rules[0] + sizeof door_rules / sizeof door_rules[0]];

  memcpy (all, rules, sizeof rules);
  memcpy (all + common, door_rules, sizeof door_rules);
  return dn_allowlist_load_refusing (all, common + own, refused,
                                     sizeof refused / sizeof refused[0]);
}
