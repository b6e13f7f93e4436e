/* SPDX-License-Identifier: Apache-2.0 */
#include "orders.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "pod.h"
#include "rules.h"

/* Orders are one at a time also where another gateway runs in this network: of another danchid, or
 * one that was ended and whose last order is still under way.  A name that the kernel takes away
 * with its holder, and that is of the network namespace. */
static int
wait_turn (DnGatewayAnswer *answer)
{
  static const char name[] = "\0danchi-gateway";
  const struct timespec pause = { .tv_nsec = 5000000 };
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  memcpy (address.sun_path, name, sizeof name - 1);
  while (fd >= 0
         && bind (fd, (struct sockaddr *) &address,
                  (socklen_t) (offsetof (struct sockaddr_un, sun_path) + sizeof name - 1))
                < 0)
    {
      /* The order's own time ends this. */
      if (errno != EADDRINUSE)
        return dn_fault (answer, -errno, "turn of the order: %s", strerror (errno));
      (void) nanosleep (&pause, NULL);
    }
  return fd < 0 ? dn_fault (answer, -errno, "turn of the order: %s", strerror (errno)) : fd;
}

static int
list_slots (DnNetwork *network, DnGatewayAnswer *answer)
{
  static bool slots[DN_NETWORK_SLOTS];
  int r = 0;

  /* What a gateway has made that was ended before the first guest. */
  if (dn_network_find_slots (network, slots) == 0)
    return dn_network_remove_common (network, answer);
  for (uint32_t slot = 0; r == 0 && slot < DN_NETWORK_SLOTS; slot++)
    if (slots[slot])
      r = dn_answer_line (answer, "%u", slot);
  return r;
}

int
dn_order_members (DnNetwork *network, const DnGatewayMembers *members, DnGatewayAnswer *answer)
{
  char group[64];

  /* It comes with its first guest's OPEN; without one there is nothing that could be reached. */
  (void) snprintf (group, sizeof group, "chain inet " DN_RULES_TABLE " group-%u", members->group);
  if (dn_nft_list (&network->nft, group) == NULL)
    return 0;
  dn_rules_write_members (network->nft.text, members);
  return dn_nft_commit (&network->nft, "ports of a tenant network", answer);
}

/* The answer is sent before the first pin: what follows outlives the order (server.c). */
static int
begin_pins (DnNetwork *network, const DnGatewayResolver *resolver, const DnFdList *fds,
            DnGatewayAnswer *answer)
{
  char tap[DN_NETWORK_TAP_BYTES];

  dn_network_tap_name (resolver->slot, tap);
  if (fds->count != 1)
    return dn_fault (answer, -EPROTO, "order without the resolver's socket");
  if (!dn_network_has_table (network) || !dn_link_exists (tap))
    return dn_fault (answer, -ENODEV, "tap '%s' is not there", tap);
  dn_rules_write_servers (network->nft.text, resolver);
  return dn_nft_commit (&network->nft, "servers of names", answer);
}

void
dn_order_run (const DnGatewayOrder *order, const DnFdList *fds, DnGatewayAnswer *answer,
              DnFdList *ret_fds)
{
  DnNetwork network;
  int turn = wait_turn (answer);

  if (turn < 0 || dn_network_init (&network, answer) < 0)
    return;
  switch (order->type)
    {
    case DN_GATEWAY_OPEN:
      (void) dn_guest_network_open (&network, &order->guest, answer);
      break;
    case DN_GATEWAY_CLOSE:
      (void) dn_guest_network_close (&network, order->slot, answer);
      break;
    case DN_GATEWAY_MEMBERS:
      (void) dn_order_members (&network, &order->members, answer);
      break;
    case DN_GATEWAY_LISTEN:
      (void) dn_order_listen (&order->listen, answer, ret_fds);
      break;
    case DN_GATEWAY_PIN:
      (void) begin_pins (&network, &order->resolver, fds, answer);
      break;
    case DN_GATEWAY_LIST:
      (void) list_slots (&network, answer);
      break;
    case DN_GATEWAY_VERIFY:
      (void) dn_order_verify (&network, &order->guest, answer);
      break;
    case DN_GATEWAY_REACH:
      (void) dn_order_reach (&order->reach, answer, ret_fds);
      break;
    case DN_GATEWAY_PROBE:
      (void) dn_order_probe (&network, &order->pool, answer);
      break;
    case DN_GATEWAY_POD_TAP:
      (void) dn_pod_tap_make (&network, order->slot, answer);
      break;
    case DN_GATEWAY_POD_LOOK:
    case DN_GATEWAY_POD_JOIN:
    case DN_GATEWAY_POD_LEAVE:
    case DN_GATEWAY_POD_VERIFY:
      (void) dn_fault (answer, -EPROTO, "an order of a pod's network namespace, in the host's");
      break;
    }
  dn_network_clear (&network);
  (void) close (turn);
}

int
dn_order_prepare_pod (const DnGatewayOrder *order, int netns_fd, DnGatewayAnswer *answer)
{
  DnNetwork network;
  int turn, r;

  if (order->type != DN_GATEWAY_POD_JOIN)
    return 0;
  turn = wait_turn (answer);
  if (turn < 0)
    return turn;
  r = dn_network_init (&network, answer);
  if (r == 0)
    r = dn_pod_tap_move (&network, order->slot, netns_fd, answer);
  dn_network_clear (&network);
  (void) close (turn);
  return r;
}
