/* SPDX-License-Identifier: Apache-2.0 */
#include "intake-order.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
dn_intake_order_format (const DnIntakeOrder *order, char *text, size_t size)
{
  int n = snprintf (text, size, "%s %u %u", order->task, order->uid, order->gid);

  return n < 0 || (size_t) n >= size ? -EMSGSIZE : n;
}

int
dn_intake_order_parse (const char *text, DnIntakeOrder *ret_order)
{
  char again[DN_INTAKE_ORDER_MAX_BYTES];
  DnIntakeOrder order = { 0 };

  if (sscanf (text, "%15[a-z] %u %u", order.task, &order.uid, &order.gid) != 3 || order.uid == 0
      || order.gid == 0)
    return -EINVAL;
  /* Nothing before, between or behind: what was read gives the same text again. */
  if (dn_intake_order_format (&order, again, sizeof again) < 0 || strcmp (again, text) != 0)
    return -EINVAL;
  *ret_order = order;
  return 0;
}
