/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/network/plan.c launcher/network/gateway-order.c launcher/gateway/rules*.c
   launcher/base/gateway-pin.c launcher/base/public-address.c launcher/base/network-rule.c
   protocol/pack.c */
/* Orders of danchid's and messages of resolvers, which may be their guests': whatever is taken for
 * one is of it alone what is written into rules, and packs again to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "../../launcher/base/gateway-pin.h"
#include "../../launcher/gateway/rules.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Not one byte of an order becomes a word of a rule: names and numbers are all there is. */
static void
check_text (const char *text, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~' || strchr ("\\'`$#\"", text[i]) != NULL))
      abort ();
}

static void
write_rules (const DnGatewayOrder *order)
{
  char *text = NULL;
  size_t size = 0;
  FILE *to = open_memstream (&text, &size);
  DnNetworkPlan plan;

  if (to == NULL)
    return;
  if (order->type == DN_GATEWAY_OPEN
      && dn_network_plan_make (&order->guest.pool, order->guest.slot, &plan) == 0)
    dn_rules_write_guest (to, DN_RULES_TABLE, false, &order->guest, &plan);
  else if (order->type == DN_GATEWAY_MEMBERS)
    dn_rules_write_members (to, &order->members);
  else if (order->type == DN_GATEWAY_PIN)
    dn_rules_write_servers (to, &order->resolver);
  else if (order->type == DN_GATEWAY_CLOSE)
    dn_rules_write_removal (to, order->slot, 0xffff);
  (void) fclose (to);
  check_text (text, size);
  free (text);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static DnGatewayOrder order;
  static uint8_t again[DN_GATEWAY_ORDER_MAX_BYTES];
  DnGatewayPin pins[DN_GATEWAY_PINS_MAX];
  DnGatewayDial dial;

  if (size <= sizeof again && dn_gateway_order_unpack (data, size, &order) == 0)
    {
      if (dn_gateway_order_pack (&order, again) != (int) size || memcmp (data, again, size) != 0)
        abort ();
      write_rules (&order);
    }
  if (dn_gateway_pins_unpack (data, size, pins) > DN_GATEWAY_PINS_MAX)
    abort ();
  (void) dn_gateway_dial_unpack (data, size, &dial);
  return 0;
}
