/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../confined/say.h"
#include "door.h"
#include "orders.h"

/* danchids, at a time. */
#define PEERS_MAX 16

static uint8_t bytes[DN_GATEWAY_ORDER_MAX_BYTES + 1];
static DnGatewayOrder order;
static DnGatewayAnswer answer;
static int door = -1;

static void
send_answer (int fd, const DnFdList *fds)
{
  static uint8_t packed[DN_GATEWAY_ANSWER_MAX_BYTES];
  int size = dn_gateway_answer_pack (&answer, packed);

  if (size > 0)
    (void) dn_fdpass_send (fd, packed, (size_t) size, fds);
}

/* The answer is the door's, unless it does not come so far. */
static _Noreturn void
pass_on (size_t size, const DnFdList *fds)
{
  const DnFdList none = DN_FD_LIST_INIT;

  if (fds->count != 2)
    (void) dn_fault (&answer, -EPROTO, "order without the pod's network namespace");
  else if (dn_order_prepare_pod (&order, fds->fds[1], &answer) == 0)
    {
      int r = dn_door_pass (door, bytes, size, fds);

      if (r == 0)
        _exit (EXIT_SUCCESS);
      (void) dn_fault (&answer, r,
                       "danchi-gateway has lost the process that goes to pods: %s\n"
                       "restart danchi-gateway",
                       strerror (-r));
    }
  send_answer (fds->fds[0], &none);
  _exit (EXIT_SUCCESS);
}

/* In the order's process. */
static _Noreturn void
run (int unpacked, size_t size, DnFdList *fds)
{
  DnFdList rest = { .count = fds->count - 1 }, answered = DN_FD_LIST_INIT;
  DnNetwork network;

  (void) alarm (DN_SERVE_ORDER_S);
  if (unpacked == 0 && dn_gateway_order_is_elsewhere (order.type))
    pass_on (size, fds);
  memcpy (rest.fds, fds->fds + 1, rest.count * sizeof rest.fds[0]);
  if (unpacked < 0)
    (void) dn_fault (&answer, unpacked,
                     unpacked == -EPROTONOSUPPORT
                         ? "danchi-gateway is of another version\nrestart danchi-gateway"
                         : "danchi-gateway: malformed order");
  else
    dn_order_run (&order, &rest, &answer, &answered);
  send_answer (fds->fds[0], &answered);
  if (unpacked < 0 || order.type != DN_GATEWAY_PIN || answer.status != 0)
    _exit (EXIT_SUCCESS);
  /* From here on for the resolver, apart from the server: a child of this one's. */
  (void) alarm (0);
  if (fork () != 0)
    _exit (EXIT_SUCCESS);
  (void) dup3 (rest.fds[0], 3, 0);
  (void) close_range (4, ~0u, 0);
  if (dn_network_init (&network, &answer) == 0)
    dn_order_pin (&network, &order.resolver, 3);
  _exit (EXIT_SUCCESS);
}

/* One order of @fd's. Returns: whether there may be another */
static bool
serve_one (int fd)
{
  DnFdList fds = DN_FD_LIST_INIT;
  ssize_t n = dn_fdpass_receive (fd, bytes, sizeof bytes, &fds);
  int unpacked;
  pid_t child;

  if (n < 0 && (errno == EINTR || errno == EMFILE))
    return true;
  if (n <= 0)
    return false;
  unpacked = dn_gateway_order_unpack (bytes, (size_t) n, &order);
  child = fds.count >= 1 ? fork () : -1;
  if (child == 0)
    run (unpacked, (size_t) n, &fds);
  /* danchid sees the closed end where nothing came. */
  dn_fd_list_clear (&fds);
  while (child > 0 && waitpid (child, NULL, 0) < 0 && errno == EINTR)
    ;
  return true;
}

/* The socket's mode lets root alone connect; asked again here. */
static bool
is_from_root (int fd)
{
  struct ucred peer;
  socklen_t size = sizeof peer;

  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

static void
accept_one (int fd, struct pollfd *peers, nfds_t *count)
{
  int peer = accept4 (fd, NULL, NULL, SOCK_CLOEXEC);

  if (peer < 0)
    return;
  if (*count <= PEERS_MAX && is_from_root (peer))
    peers[(*count)++] = (struct pollfd){ .fd = peer, .events = POLLIN };
  else
    (void) close (peer);
}

static _Noreturn void
serve_all (int fd)
{
  struct pollfd peers[1 + PEERS_MAX] = { { .fd = fd, .events = POLLIN } };
  nfds_t count = 1;

  while (true)
    {
      if (poll (peers, count, -1) <= 0)
        continue;
      for (nfds_t i = count; i-- > 1;)
        if (peers[i].revents != 0 && !serve_one (peers[i].fd))
          {
            (void) close (peers[i].fd);
            peers[i] = peers[--count];
          }
      if (peers[0].revents != 0)
        accept_one (fd, peers, &count);
    }
}

int
dn_gateway_serve (int fd, bool is_listening, int door_fd)
{
  door = door_fd;
  if (signal (SIGPIPE, SIG_IGN) == SIG_ERR)
    return EXIT_FAILURE;
  if (is_listening)
    serve_all (fd);
  while (serve_one (fd))
    ;
  return EXIT_SUCCESS;
}
