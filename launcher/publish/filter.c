/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "../confined/allowlist.h"

/* Names as glibc 2.36 calls them, and as others may: a name that an architecture does not have is
 * left out by libseccomp. */
static const DnAllowed rules[] = {
  /* Bytes from socket to pipe to socket, datagrams, the control socket's packets, a log line. */
  DN_ALLOW (splice),
  DN_ALLOW (recvfrom),
  DN_ALLOW (recvmsg),
  DN_ALLOW (sendmsg),
  DN_ALLOW (sendto),
  DN_ALLOW (write),
  DN_ALLOW (pipe2),

  /* Clients and danchid: taken.  Containers: dialled, with sockets that are bound to the tap. */
  DN_ALLOW (accept4),
  DN_ALLOW (connect),
  DN_ALLOW (shutdown),
  DN_ALLOW (getsockname),
  DN_ALLOW_PAIR (getsockopt, 1, SOL_SOCKET, 2, SO_ACCEPTCONN),
  DN_ALLOW_PAIR (getsockopt, 1, SOL_SOCKET, 2, SO_BINDTODEVICE),
  DN_ALLOW_PAIR (getsockopt, 1, SOL_SOCKET, 2, SO_ERROR),
  DN_ALLOW_PAIR (getsockopt, 1, SOL_SOCKET, 2, SO_PEERCRED),
  DN_ALLOW_PAIR (getsockopt, 1, SOL_SOCKET, 2, SO_TYPE),
  DN_ALLOW_PAIR (getsockopt, 1, IPPROTO_TCP, 2, TCP_INFO),
  /* Without CAP_NET_RAW a device can only be given to a socket that has none. */
  DN_ALLOW_PAIR (setsockopt, 1, SOL_SOCKET, 2, SO_BINDTODEVICE),
  DN_ALLOW_PAIR (setsockopt, 1, SOL_SOCKET, 2, SO_KEEPALIVE),
  DN_ALLOW_PAIR (setsockopt, 1, IPPROTO_TCP, 2, TCP_NODELAY),
  DN_ALLOW_PAIR (setsockopt, 1, IPPROTO_IP, 2, IP_PKTINFO),
  DN_ALLOW_PAIR (setsockopt, 1, IPPROTO_IPV6, 2, IPV6_RECVPKTINFO),

  /* Descriptors: polled, closed. */
  DN_ALLOW (close),
  DN_ALLOW (epoll_create1),
  DN_ALLOW (epoll_ctl),
  DN_ALLOW (epoll_pwait),
  DN_ALLOW (epoll_wait),

  /* Memory of malloc(3), never executable; no mprotect(2) to make it so later. */
  DN_ALLOW (brk),
  DN_ALLOW (madvise),
  DN_ALLOW_ONLY (mmap, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
  DN_ALLOW (munmap),

  /* The last look at itself, through the one file that is open (no-rights.h). */
  DN_ALLOW (pread64),

  /* Time, where the vDSO does not answer; malloc's seed; signals that interrupt; the end. */
  DN_ALLOW (clock_gettime),
  DN_ALLOW (exit_group),
  DN_ALLOW (getrandom),
  DN_ALLOW (restart_syscall),
  DN_ALLOW (rt_sigreturn),
};

int
dn_publish_filter_load (void)
{
  return dn_allowlist_load (rules, sizeof rules / sizeof rules[0]);
}
