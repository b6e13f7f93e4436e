/* SPDX-License-Identifier: Apache-2.0 */
#include "orders.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "rules.h"

static int
list_slots (DnNetwork *network, DnGatewayAnswer *answer)
{
  static bool slots[DN_NETWORK_SLOTS];
  int r = 0;

  (void) dn_network_find_slots (network, slots);
  for (uint32_t slot = 0; r == 0 && slot < DN_NETWORK_SLOTS; slot++)
    if (slots[slot])
      r = dn_answer_line (answer, "%u", slot);
  return r;
}

int
dn_order_members (DnNetwork *network, const DnGatewayMembers *members, DnGatewayAnswer *answer)
{
  /* Without a guest there is nothing that could be reached. */
  if (!dn_network_has_table (network))
    return 0;
  dn_rules_write_members (network->nft.text, members);
  return dn_nft_commit (&network->nft, "ports of a tenant network", answer);
}

/* The answer is sent before the first pin: what follows outlives the order (server.c). */
static int
check_pin (DnNetwork *network, uint32_t slot, const DnFdList *fds, DnGatewayAnswer *answer)
{
  char tap[DN_NETWORK_TAP_BYTES];

  dn_network_tap_name (slot, tap);
  if (fds->count != 1)
    return dn_fault (answer, -EPROTO, "order without the resolver's socket");
  if (!dn_network_has_table (network) || !dn_link_exists (tap))
    return dn_fault (answer, -ENODEV, "tap '%s' is not there", tap);
  return 0;
}

void
dn_order_run (const DnGatewayOrder *order, const DnFdList *fds, DnGatewayAnswer *answer,
              DnFdList *ret_fds)
{
  DnNetwork network;

  if (dn_network_init (&network, answer) < 0)
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
      (void) check_pin (&network, order->slot, fds, answer);
      break;
    case DN_GATEWAY_LIST:
      (void) list_slots (&network, answer);
      break;
    case DN_GATEWAY_VERIFY:
      (void) dn_order_verify (&network, &order->guest, answer);
      break;
    case DN_GATEWAY_PROBE:
      (void) dn_order_probe (&network, &order->pool, answer);
      break;
    }
  dn_network_clear (&network);
}
