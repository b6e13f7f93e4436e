/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "../confined/allowlist.h"

/* Names as glibc 2.36 calls them, and as others may: a name that an architecture does not have is
 * left out by libseccomp. */
static const DnAllowed rules[] = {
  /* Bytes in and out of descriptors we hold; sendmsg only ever answers on them. */
  DN_ALLOW (read),
  DN_ALLOW (recvfrom),
  DN_ALLOW (recvmsg),
  DN_ALLOW (sendmsg),
  DN_ALLOW (sendto),
  DN_ALLOW (write),

  /* The log halves and the console ring: written by place, emptied in turn. */
  DN_ALLOW (fstat),
  DN_ALLOW (ftruncate),
  DN_ALLOW (lseek),
  DN_ALLOW (pread64),
  DN_ALLOW (pwrite64),
  /* fstat(3) is this call with an empty path; there is nothing a path could name. */
  DN_ALLOW_ONLY (newfstatat, 3, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH),

  /* Connections of danchid and QEMU: taken, and looked at for who it is. */
  DN_ALLOW (accept4),
  DN_ALLOW_ONLY (getsockopt, 2, SCMP_CMP_EQ, SO_PEERCRED, 0),

  /* Descriptors: polled, made non-blocking, asked how much is unread, closed. */
  DN_ALLOW (close),
  DN_ALLOW (epoll_create1),
  DN_ALLOW (epoll_ctl),
  DN_ALLOW (epoll_pwait),
  DN_ALLOW (epoll_wait),
  DN_ALLOW_ONLY (fcntl, 1, SCMP_CMP_EQ, F_GETFL, 0),
  DN_ALLOW_ONLY (fcntl, 1, SCMP_CMP_EQ, F_SETFL, 0),
  DN_ALLOW_ONLY (ioctl, 1, SCMP_CMP_EQ, SIOCOUTQ, 0),
  DN_ALLOW (shutdown),

  /* Memory of malloc(3), never executable; no mprotect(2) to make it so later. */
  DN_ALLOW (brk),
  DN_ALLOW (madvise),
  DN_ALLOW_ONLY (mmap, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
  DN_ALLOW (munmap),

  /* Time, where the vDSO does not answer; nonces; signals that interrupt; the end. */
  DN_ALLOW (clock_gettime),
  DN_ALLOW (exit_group),
  DN_ALLOW (getrandom),
  DN_ALLOW (restart_syscall),
  DN_ALLOW (rt_sigreturn),
};

int
dn_filter_load (void)
{
  return dn_allowlist_load (rules, sizeof rules / sizeof rules[0]);
}
