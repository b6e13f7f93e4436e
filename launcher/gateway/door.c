/* SPDX-License-Identifier: Apache-2.0 */
#include "door.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lockdown.h"
#include "orders.h"
#include "pod.h"
#include "server.h"

#define DOOR_FD 3
#define HOST_FD 4 /* the host's network namespace, to know it */

static uint8_t bytes[DN_GATEWAY_ORDER_MAX_BYTES + 1];
static DnGatewayOrder order;
static DnGatewayAnswer answer;

/* CAP_NET_ADMIN stays.  The bounding set is as it was, but there is no execve(2) to use it. */
static int
drop_admin (void)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  const uint32_t bit = UINT32_C (1) << CAP_NET_ADMIN;
  struct __user_cap_data_struct sets[2] = { { .effective = bit, .permitted = bit } }, found[2];

  if (syscall (SYS_capset, &header, sets) < 0 || syscall (SYS_capget, &header, found) < 0)
    return -errno;
  return found[0].effective == bit && found[0].permitted == bit && found[1].permitted == 0 ? 0
                                                                                           : -EPERM;
}

static int
enter (int netns_fd)
{
  struct stat host, wanted;
  int r;

  if (fstat (netns_fd, &wanted) < 0 || fstat (HOST_FD, &host) < 0)
    return dn_fault (&answer, -errno, "the pod's network namespace: %s", strerror (errno));
  if (host.st_dev == wanted.st_dev && host.st_ino == wanted.st_ino)
    return dn_fault (&answer, -EPERM,
                     "the pod has the host's network, which a guest cannot have\n"
                     "set hostNetwork to false, or take another runtime class for this pod");
  if (setns (netns_fd, CLONE_NEWNET) < 0)
    return dn_fault (&answer, -errno, "enter the pod's network namespace: %s",
                     errno == EINVAL ? "it is none" : strerror (errno));
  (void) close (HOST_FD);
  r = drop_admin ();
  if (r == 0)
    r = dn_gateway_load_filter ();
  return r == 0 ? 0 : dn_fault (&answer, r, "confinement in the pod: %s", strerror (-r));
}

static void
work (void)
{
  DnNetwork network;

  if (dn_network_init (&network, &answer) < 0)
    return;
  if (order.type == DN_GATEWAY_POD_LOOK)
    (void) dn_pod_look (&network, &answer);
  else if (order.type == DN_GATEWAY_POD_JOIN)
    (void) dn_pod_join (&network, order.slot, &answer);
  else if (order.type == DN_GATEWAY_POD_VERIFY)
    (void) dn_pod_verify (&network, order.slot, &answer);
  else
    (void) dn_pod_leave (&network, order.slot, &answer);
  dn_network_clear (&network);
}

/* In the order's process. */
static _Noreturn void
run (int unpacked, const DnFdList *fds)
{
  const DnFdList none = DN_FD_LIST_INIT;
  int size;

  (void) alarm (DN_SERVE_ORDER_S);
  if (unpacked < 0 || !dn_gateway_order_is_elsewhere (order.type) || fds->count != 2)
    (void) dn_fault (&answer, -EPROTO, "danchi-gateway: malformed order");
  else if (enter (fds->fds[1]) == 0)
    work ();
  size = dn_gateway_answer_pack (&answer, bytes);
  if (size > 0)
    (void) dn_fdpass_send (fds->fds[0], bytes, (size_t) size, &none);
  _exit (EXIT_SUCCESS);
}

static bool
serve_one (void)
{
  DnFdList fds = DN_FD_LIST_INIT;
  ssize_t n = dn_fdpass_receive (DOOR_FD, bytes, sizeof bytes, &fds);
  pid_t child;
  int unpacked;

  if (n < 0 && (errno == EINTR || errno == EMFILE))
    return true;
  if (n <= 0)
    return false;
  unpacked = dn_gateway_order_unpack (bytes, (size_t) n, &order);
  child = fds.count >= 1 ? fork () : -1;
  if (child == 0)
    run (unpacked, &fds);
  dn_fd_list_clear (&fds);
  while (child > 0 && waitpid (child, NULL, 0) < 0 && errno == EINTR)
    ;
  return true;
}

static _Noreturn void
be_door (int fd)
{
  const char *step = "descriptors";
  int host = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  int r = 0;

  /* Out of the way first: either may be where the other is to be. */
  host = host < 0 ? -1 : fcntl (host, F_DUPFD_CLOEXEC, HOST_FD + 1);
  fd = fcntl (fd, F_DUPFD_CLOEXEC, HOST_FD + 1);
  if (host < 0 || fd < 0 || dup3 (host, HOST_FD, O_CLOEXEC) < 0 || dup3 (fd, DOOR_FD, O_CLOEXEC) < 0
      || close_range (HOST_FD + 1, ~0u, 0) < 0 || signal (SIGPIPE, SIG_IGN) == SIG_ERR)
    r = -errno;
  if (r == 0)
    r = dn_door_lockdown (&step);
  if (r < 0)
    {
      fprintf (stderr, "danchi-gateway: door: lockdown: %s: %s\n", step, strerror (-r));
      _exit (EXIT_FAILURE);
    }
  while (serve_one ())
    ;
  _exit (EXIT_SUCCESS);
}

int
dn_door_start (int close_fd)
{
  int pair[2];
  pid_t child;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return -errno;
  child = fork ();
  if (child < 0)
    return -errno;
  if (child == 0)
    {
      (void) close (close_fd);
      (void) close (pair[0]);
      be_door (pair[1]);
    }
  (void) close (pair[1]);
  return pair[0];
}

int
dn_door_pass (int door_fd, const uint8_t *order_bytes, size_t size, const DnFdList *fds)
{
  if (door_fd < 0 || dn_fdpass_send (door_fd, order_bytes, size, fds) != (ssize_t) size)
    return door_fd < 0 ? -ECHILD : -errno;
  return 0;
}
