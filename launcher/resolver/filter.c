/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "../base/resolver-control.h"
#include "../confined/allowlist.h"

/* Names as glibc 2.36 calls them, and as others may: a name that an architecture does not have is
 * left out by libseccomp. */
static const DnAllowed rules[] = {
  /* Bytes in and out of sockets that are connected; a line of the log. */
  DN_ALLOW (recvfrom),
  DN_ALLOW (recvmsg),
  DN_ALLOW_ONLY (sendto, 4, SCMP_CMP_EQ, 0, 0),
  DN_ALLOW_ONLY (write, 0, SCMP_CMP_EQ, 2, 0),

  /* What it has become, read back at the end of the lockdown. */
  DN_ALLOW (pread64),

  /* Datagrams to whoever asked, on the tap. */
  DN_ALLOW_ONLY (sendto, 0, SCMP_CMP_LE, DN_RESOLVER_FD_DATAGRAMS6, 0),

  /* The guest's and danchid's connections: taken, and danchid's looked at for who it is. */
  DN_ALLOW_ONLY (accept4, 0, SCMP_CMP_LE, DN_RESOLVER_FD_LAST, 0),
  DN_ALLOW_PAIR (getsockopt, 1, SOL_SOCKET, 2, SO_PEERCRED),

  /* Descriptors: polled, made non-blocking; closed, but for those that the rules above go by. */
  DN_ALLOW_ONLY (close, 0, SCMP_CMP_GT, DN_RESOLVER_FD_LAST, 0),
  DN_ALLOW (epoll_create1),
  DN_ALLOW (epoll_ctl),
  DN_ALLOW (epoll_pwait),
  DN_ALLOW (epoll_wait),
  DN_ALLOW_ONLY (fcntl, 1, SCMP_CMP_EQ, F_GETFL, 0),
  DN_ALLOW_ONLY (fcntl, 1, SCMP_CMP_EQ, F_SETFL, 0),

  /* Memory of malloc(3), never executable; no mprotect(2) to make it so later. */
  DN_ALLOW (brk),
  DN_ALLOW (madvise),
  DN_ALLOW_ONLY (mmap, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
  DN_ALLOW (mremap),
  DN_ALLOW (munmap),

  /* Time, where the vDSO does not answer; ids of queries; signals that interrupt; the end. */
  DN_ALLOW (clock_gettime),
  DN_ALLOW (exit_group),
  DN_ALLOW (getrandom),
  DN_ALLOW (restart_syscall),
  DN_ALLOW (rt_sigreturn),
};

int
dn_resolver_filter_load (void)
{
  return dn_allowlist_load (rules, sizeof rules / sizeof rules[0]);
}
