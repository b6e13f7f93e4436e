/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

typedef struct
{
  int call;
  struct scmp_arg_cmp condition;
  unsigned condition_count; /* 0 or 1 */
} Rule;

#define ANY(call)                                                                                  \
  {                                                                                                \
    SCMP_SYS (call), { 0 }, 0                                                                      \
  }
/* Where argument @index is @value; with SCMP_CMP_MASKED_EQ, where its bits @value are @bits. */
#define ONLY(call, index, how, value, bits)                                                        \
  {                                                                                                \
    SCMP_SYS (call), { index, how, value, bits }, 1                                                \
  }

/* Names as glibc 2.36 calls them, and as others may: a name that an architecture does not have is
 * left out by libseccomp. */
static const Rule rules[] = {
  /* Bytes in and out of descriptors we hold; sendmsg only ever answers on them. */
  ANY (read),
  ANY (recvfrom),
  ANY (recvmsg),
  ANY (sendmsg),
  ANY (sendto),
  ANY (write),

  /* The log halves and the console ring: written by place, emptied in turn. */
  ANY (fstat),
  ANY (ftruncate),
  ANY (lseek),
  ANY (pread64),
  ANY (pwrite64),
  /* fstat(3) is this call with an empty path; there is nothing a path could name. */
  ONLY (newfstatat, 3, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH),

  /* Connections of danchid and QEMU: taken, and looked at for who it is. */
  ANY (accept4),
  ONLY (getsockopt, 2, SCMP_CMP_EQ, SO_PEERCRED, 0),

  /* Descriptors: polled, made non-blocking, asked how much is unread, closed. */
  ANY (close),
  ANY (epoll_create1),
  ANY (epoll_ctl),
  ANY (epoll_pwait),
  ANY (epoll_wait),
  ONLY (fcntl, 1, SCMP_CMP_EQ, F_GETFL, 0),
  ONLY (fcntl, 1, SCMP_CMP_EQ, F_SETFL, 0),
  ONLY (ioctl, 1, SCMP_CMP_EQ, SIOCOUTQ, 0),
  ANY (shutdown),

  /* Memory of malloc(3), never executable; no mprotect(2) to make it so later. */
  ANY (brk),
  ANY (madvise),
  ONLY (mmap, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
  ANY (munmap),

  /* Time, where the vDSO does not answer; nonces; signals that interrupt; the end. */
  ANY (clock_gettime),
  ANY (exit_group),
  ANY (getrandom),
  ANY (restart_syscall),
  ANY (rt_sigreturn),
};

int
dn_filter_load (void)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_KILL_PROCESS);
  int r = filter == NULL ? -ENOMEM : 0;

  for (size_t i = 0; r == 0 && i < sizeof rules / sizeof rules[0]; i++)
    r = seccomp_rule_add_array (filter, SCMP_ACT_ALLOW, rules[i].call, rules[i].condition_count,
                                &rules[i].condition);
  if (r == 0)
    r = seccomp_load (filter);
  seccomp_release (filter);
  return r;
}
