/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway.h"

#include <stdlib.h>
#include <string.h>

#include "../guest/identity.h"

static void
add_rule (DnGatewayGuest *guest, const DnNetworkRule *rule, gboolean is_allow)
{
  DnGatewayRule *to = &guest->rules[guest->rule_count];

  if (guest->rule_count == DN_GATEWAY_RULES_MAX)
    return;
  *to = (DnGatewayRule){ .is_allow = is_allow, .protocol = rule->protocol, .port_last = 65535 };
  if (rule->ports.first != 0 || rule->ports.last != 0)
    {
      to->port_first = rule->ports.first;
      to->port_last = rule->ports.last;
    }
  if (rule->kind == DN_RULE_DOMAIN)
    to->list = rule->list;
  else
    {
      to->family = rule->family;
      to->bits = rule->prefix;
      memcpy (to->address, rule->address, sizeof to->address);
    }
  guest->rule_count++;
}

/* Names with the same ports share a list, and are one rule here. */
static void
add_allowed (DnGatewayGuest *guest, const GArray *rules)
{
  guint32 lists = 0;

  for (guint i = 0; rules != NULL && i < rules->len; i++)
    {
      const DnNetworkRule *rule = &g_array_index (rules, DnNetworkRule, i);

      if (rule->kind == DN_RULE_DOMAIN && (rule->list == 0 || (lists & 1u << rule->list) != 0))
        continue;
      if (rule->kind == DN_RULE_DOMAIN)
        lists |= 1u << rule->list;
      add_rule (guest, rule, TRUE);
    }
}

void
dn_gateway_guest_from_policy (const DnNetworkPolicy *policy, const DnNetworkPool *pool, guint slot,
                              guint32 group, guint connections, DnGatewayGuest *ret_guest)
{
  gboolean has_egress = dn_network_policy_has_egress (policy);
  const GArray *allow = policy->allow_rules, *deny = policy->deny_rules;

  memset (ret_guest, 0, sizeof *ret_guest);
  ret_guest->pool = *pool;
  ret_guest->slot = slot;
  ret_guest->group = group;
  ret_guest->has_resolver = dn_network_policy_has_names (policy);
  ret_guest->has_internet = has_egress && (allow == NULL || allow->len == 0);
  ret_guest->egress_kbit = (guint32) policy->egress_kbit;
  ret_guest->ingress_kbit = (guint32) policy->ingress_kbit;
  ret_guest->connections = connections;
  if (!has_egress)
    return;
  /* A name that is denied is not resolved: there is no list of it. */
  for (guint i = 0; deny != NULL && i < deny->len; i++)
    if (g_array_index (deny, DnNetworkRule, i).kind == DN_RULE_ADDRESS)
      add_rule (ret_guest, &g_array_index (deny, DnNetworkRule, i), FALSE);
  add_allowed (ret_guest, allow);
}

static gboolean
order_guest (DnGatewayOrderType type, const DnGatewayGuest *guest, char **ret_text, GError **error)
{
  g_autofree DnGatewayOrder *order = g_new0 (DnGatewayOrder, 1);

  order->type = type;
  order->guest = *guest;
  return dn_gateway_order (order, NULL, NULL, ret_text, error);
}

gboolean
dn_gateway_open (const DnGatewayGuest *guest, GError **error)
{
  return order_guest (DN_GATEWAY_OPEN, guest, NULL, error);
}

char *
dn_gateway_verify (const DnGatewayGuest *guest, GError **error)
{
  char *text = NULL;

  return order_guest (DN_GATEWAY_VERIFY, guest, &text, error) ? text : NULL;
}

gboolean
dn_gateway_close (guint slot, GError **error)
{
  g_autofree DnGatewayOrder *order = g_new0 (DnGatewayOrder, 1);

  order->type = DN_GATEWAY_CLOSE;
  order->slot = slot;
  return dn_gateway_order (order, NULL, NULL, NULL, error);
}

static gboolean
close_unclaimed (guint slot, gpointer data)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *removed = data;

  if (dn_gateway_close (slot, &error))
    g_ptr_array_add (removed,
                     g_strdup_printf ("network of identity %u", DN_IDENTITY_UID_FIRST + slot));
  else
    g_warning ("network of identity %u: %s", DN_IDENTITY_UID_FIRST + slot, error->message);
  return error == NULL;
}

void
dn_gateway_sweep (GPtrArray *removed)
{
  g_autofree DnGatewayOrder *order = g_new0 (DnGatewayOrder, 1);
  g_autoptr (GArray) slots = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  order->type = DN_GATEWAY_LIST;
  if (!dn_gateway_order (order, NULL, NULL, &text, &error))
    {
      g_info ("%s", error->message);
      return;
    }
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0')
      {
        guint slot = (guint) strtoul (*line, NULL, 10);

        g_array_append_val (slots, slot);
      }
  dn_identity_each_unclaimed (slots, close_unclaimed, removed);
}

char *
dn_gateway_probe (const DnNetworkPool *pool, GError **error)
{
  g_autofree DnGatewayOrder *order = g_new0 (DnGatewayOrder, 1);
  char *text = NULL;

  order->type = DN_GATEWAY_PROBE;
  order->pool = *pool;
  return dn_gateway_order (order, NULL, NULL, &text, error) ? text : NULL;
}
