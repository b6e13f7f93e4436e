/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway-order.h"

#include <errno.h>
#include <string.h>

#include "../../protocol/pack.h"

static void
pack_pool (DnPacker *packer, const DnNetworkPool *pool)
{
  dn_pack_raw (packer, &pool->address4, sizeof pool->address4);
  dn_pack_u8 (packer, pool->bits4);
  dn_pack_raw (packer, &pool->prefix6, sizeof pool->prefix6);
}

static void
pack_rule (DnPacker *packer, const DnGatewayRule *rule)
{
  dn_pack_u8 (packer, rule->is_allow);
  dn_pack_u8 (packer, rule->family);
  dn_pack_raw (packer, rule->address, sizeof rule->address);
  dn_pack_u8 (packer, rule->bits);
  dn_pack_u8 (packer, rule->list);
  dn_pack_u8 (packer, rule->protocol);
  dn_pack_u16 (packer, rule->port_first);
  dn_pack_u16 (packer, rule->port_last);
}

static void
pack_guest (DnPacker *packer, const DnGatewayGuest *guest)
{
  pack_pool (packer, &guest->pool);
  dn_pack_u32 (packer, guest->slot);
  dn_pack_u8 (packer, guest->has_resolver);
  dn_pack_u8 (packer, guest->has_internet);
  dn_pack_u32 (packer, guest->group);
  dn_pack_u32 (packer, guest->egress_kbit);
  dn_pack_u32 (packer, guest->ingress_kbit);
  dn_pack_u32 (packer, guest->connections);
  dn_pack_u32 (packer, guest->rule_count);
  for (uint32_t i = 0; i < guest->rule_count && i < DN_GATEWAY_RULES_MAX; i++)
    pack_rule (packer, &guest->rules[i]);
}

static void
pack_members (DnPacker *packer, const DnGatewayMembers *members)
{
  pack_pool (packer, &members->pool);
  dn_pack_u32 (packer, members->group);
  dn_pack_u32 (packer, members->count);
  for (uint32_t i = 0; i < members->count && i < DN_GATEWAY_EXPOSED_MAX; i++)
    {
      dn_pack_u32 (packer, members->exposed[i].slot);
      dn_pack_u8 (packer, members->exposed[i].container_slot);
      dn_pack_u8 (packer, members->exposed[i].protocol);
      dn_pack_u16 (packer, members->exposed[i].port_first);
      dn_pack_u16 (packer, members->exposed[i].port_last);
    }
}

static void
pack_listen (DnPacker *packer, const DnGatewayListen *listen)
{
  pack_pool (packer, &listen->pool);
  dn_pack_u32 (packer, listen->slot);
  dn_pack_u32 (packer, listen->count);
  for (uint32_t i = 0; i < listen->count && i < DN_GATEWAY_LISTEN_MAX; i++)
    {
      dn_pack_u8 (packer, listen->sockets[i].is_on_tap);
      dn_pack_u8 (packer, listen->sockets[i].family);
      dn_pack_raw (packer, listen->sockets[i].address, sizeof listen->sockets[i].address);
      dn_pack_u8 (packer, listen->sockets[i].protocol);
      dn_pack_u16 (packer, listen->sockets[i].port);
    }
}

static void
pack_resolver (DnPacker *packer, const DnGatewayResolver *resolver)
{
  dn_pack_u32 (packer, resolver->slot);
  dn_pack_u32 (packer, resolver->server_count);
  for (uint32_t i = 0; i < resolver->server_count; i++)
    {
      dn_pack_u8 (packer, resolver->servers[i].family);
      dn_pack_raw (packer, resolver->servers[i].address, sizeof resolver->servers[i].address);
      dn_pack_u16 (packer, resolver->servers[i].port);
    }
}

bool
dn_gateway_order_is_elsewhere (DnGatewayOrderType type)
{
  return type == DN_GATEWAY_POD_LOOK || type == DN_GATEWAY_POD_JOIN || type == DN_GATEWAY_POD_LEAVE
         || type == DN_GATEWAY_POD_VERIFY;
}

int
dn_gateway_order_pack (const DnGatewayOrder *order, uint8_t *bytes)
{
  DnPacker packer = { .bytes = bytes, .size = DN_GATEWAY_ORDER_MAX_BYTES };

  dn_pack_u16 (&packer, DN_GATEWAY_VERSION);
  dn_pack_u16 (&packer, (uint16_t) order->type);
  switch (order->type)
    {
    case DN_GATEWAY_OPEN:
    case DN_GATEWAY_VERIFY:
      pack_guest (&packer, &order->guest);
      break;
    case DN_GATEWAY_CLOSE:
    case DN_GATEWAY_POD_TAP:
    case DN_GATEWAY_POD_JOIN:
    case DN_GATEWAY_POD_LEAVE:
    case DN_GATEWAY_POD_VERIFY:
      dn_pack_u32 (&packer, order->slot);
      break;
    case DN_GATEWAY_PIN:
      pack_resolver (&packer, &order->resolver);
      break;
    case DN_GATEWAY_MEMBERS:
      pack_members (&packer, &order->members);
      break;
    case DN_GATEWAY_LISTEN:
      pack_listen (&packer, &order->listen);
      break;
    case DN_GATEWAY_PROBE:
      pack_pool (&packer, &order->pool);
      break;
    case DN_GATEWAY_REACH:
      dn_pack_u32 (&packer, order->reach.slot);
      dn_pack_u8 (&packer, order->reach.family);
      dn_pack_u8 (&packer, order->reach.protocol);
      dn_pack_u32 (&packer, order->reach.count);
      break;
    case DN_GATEWAY_LIST:
    case DN_GATEWAY_POD_LOOK:
      break;
    }
  return packer.failed ? -EMSGSIZE : (int) packer.used;
}

/* Flags are 0 or 1, so that there is one way to write an order. */
static bool
unpack_flag (DnUnpacker *unpacker)
{
  uint8_t value = dn_unpack_u8 (unpacker);

  unpacker->failed |= value > 1;
  return value == 1;
}

static uint32_t
unpack_number (DnUnpacker *unpacker, uint32_t first, uint32_t last)
{
  uint32_t value = dn_unpack_u32 (unpacker);

  unpacker->failed |= value < first || value > last;
  return value;
}

static uint32_t
unpack_slot (DnUnpacker *unpacker)
{
  return unpack_number (unpacker, 0, DN_NETWORK_SLOTS - 1);
}

static void
unpack_pool (DnUnpacker *unpacker, DnNetworkPool *pool)
{
  dn_unpack_raw (unpacker, &pool->address4, sizeof pool->address4);
  pool->bits4 = dn_unpack_u8 (unpacker);
  dn_unpack_raw (unpacker, &pool->prefix6, sizeof pool->prefix6);
  unpacker->failed |= dn_network_pool_check (pool) < 0;
}

static uint8_t
unpack_protocol (DnUnpacker *unpacker, bool may_be_any)
{
  uint8_t protocol = dn_unpack_u8 (unpacker);

  unpacker->failed
      |= protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && !(may_be_any && protocol == 0);
  return protocol;
}

static void
unpack_ports (DnUnpacker *unpacker, uint16_t *first, uint16_t *last)
{
  *first = dn_unpack_u16 (unpacker);
  *last = dn_unpack_u16 (unpacker);
  unpacker->failed |= *first > *last;
}

static uint8_t
unpack_family (DnUnpacker *unpacker)
{
  uint8_t family = dn_unpack_u8 (unpacker);

  unpacker->failed |= family != 4 && family != 6;
  return family;
}

static void
unpack_rule (DnUnpacker *unpacker, DnGatewayRule *rule)
{
  rule->is_allow = unpack_flag (unpacker);
  rule->family = dn_unpack_u8 (unpacker);
  dn_unpack_raw (unpacker, rule->address, sizeof rule->address);
  rule->bits = dn_unpack_u8 (unpacker);
  rule->list = dn_unpack_u8 (unpacker);
  rule->protocol = unpack_protocol (unpacker, true);
  unpack_ports (unpacker, &rule->port_first, &rule->port_last);
  if (rule->list != 0)
    unpacker->failed |= rule->list > DN_GATEWAY_LISTS_MAX || rule->family != 0;
  else
    unpacker->failed
        |= !((rule->family == 4 && rule->bits <= 32) || (rule->family == 6 && rule->bits <= 128));
}

static void
unpack_guest (DnUnpacker *unpacker, DnGatewayGuest *guest)
{
  unpack_pool (unpacker, &guest->pool);
  guest->slot = unpack_slot (unpacker);
  guest->has_resolver = unpack_flag (unpacker);
  guest->has_internet = unpack_flag (unpacker);
  guest->group = dn_unpack_u32 (unpacker);
  guest->egress_kbit = unpack_number (unpacker, 0, DN_GATEWAY_KBIT_MAX);
  guest->ingress_kbit = unpack_number (unpacker, 0, DN_GATEWAY_KBIT_MAX);
  guest->connections
      = unpack_number (unpacker, DN_GATEWAY_CONNECTIONS_MIN, DN_GATEWAY_CONNECTIONS_MAX);
  guest->rule_count = unpack_number (unpacker, 0, DN_GATEWAY_RULES_MAX);
  for (uint32_t i = 0; !unpacker->failed && i < guest->rule_count; i++)
    unpack_rule (unpacker, &guest->rules[i]);
}

static void
unpack_members (DnUnpacker *unpacker, DnGatewayMembers *members)
{
  unpack_pool (unpacker, &members->pool);
  members->group = unpack_number (unpacker, 1, UINT32_MAX);
  members->count = unpack_number (unpacker, 0, DN_GATEWAY_EXPOSED_MAX);
  for (uint32_t i = 0; !unpacker->failed && i < members->count; i++)
    {
      DnGatewayExposed *exposed = &members->exposed[i];

      exposed->slot = unpack_slot (unpacker);
      exposed->container_slot = dn_unpack_u8 (unpacker);
      exposed->protocol = unpack_protocol (unpacker, false);
      unpack_ports (unpacker, &exposed->port_first, &exposed->port_last);
      unpacker->failed |= exposed->container_slot >= DN_NETWORK_CONTAINERS_MAX
                          || exposed->slot >= dn_network_pool_count (&members->pool);
    }
}

static void
unpack_listen (DnUnpacker *unpacker, DnGatewayListen *listen)
{
  unpack_pool (unpacker, &listen->pool);
  listen->slot = unpack_slot (unpacker);
  listen->count = unpack_number (unpacker, 1, DN_GATEWAY_LISTEN_MAX);
  for (uint32_t i = 0; !unpacker->failed && i < listen->count; i++)
    {
      DnGatewaySocket *wish = &listen->sockets[i];

      wish->is_on_tap = unpack_flag (unpacker);
      wish->family = unpack_family (unpacker);
      dn_unpack_raw (unpacker, wish->address, sizeof wish->address);
      wish->protocol = unpack_protocol (unpacker, false);
      wish->port = dn_unpack_u16 (unpacker);
    }
}

static void
unpack_resolver (DnUnpacker *unpacker, DnGatewayResolver *resolver)
{
  resolver->slot = unpack_slot (unpacker);
  resolver->server_count = unpack_number (unpacker, 0, DN_NETWORK_SERVERS_MAX);
  for (uint32_t i = 0; !unpacker->failed && i < resolver->server_count; i++)
    {
      DnNetworkEnd *server = &resolver->servers[i];

      server->family = unpack_family (unpacker);
      dn_unpack_raw (unpacker, server->address, sizeof server->address);
      server->port = dn_unpack_u16 (unpacker);
      unpacker->failed |= server->port == 0;
    }
}

int
dn_gateway_order_unpack (const uint8_t *bytes, size_t size, DnGatewayOrder *ret_order)
{
  DnUnpacker unpacker = { .bytes = bytes, .size = size };

  memset (ret_order, 0, sizeof *ret_order);
  if (dn_unpack_u16 (&unpacker) != DN_GATEWAY_VERSION)
    return -EPROTONOSUPPORT;
  ret_order->type = (DnGatewayOrderType) dn_unpack_u16 (&unpacker);
  switch (ret_order->type)
    {
    case DN_GATEWAY_OPEN:
    case DN_GATEWAY_VERIFY:
      unpack_guest (&unpacker, &ret_order->guest);
      break;
    case DN_GATEWAY_CLOSE:
    case DN_GATEWAY_POD_TAP:
    case DN_GATEWAY_POD_JOIN:
    case DN_GATEWAY_POD_LEAVE:
    case DN_GATEWAY_POD_VERIFY:
      ret_order->slot = unpack_slot (&unpacker);
      break;
    case DN_GATEWAY_PIN:
      unpack_resolver (&unpacker, &ret_order->resolver);
      break;
    case DN_GATEWAY_MEMBERS:
      unpack_members (&unpacker, &ret_order->members);
      break;
    case DN_GATEWAY_LISTEN:
      unpack_listen (&unpacker, &ret_order->listen);
      break;
    case DN_GATEWAY_PROBE:
      unpack_pool (&unpacker, &ret_order->pool);
      break;
    case DN_GATEWAY_REACH:
      ret_order->reach.slot = unpack_slot (&unpacker);
      ret_order->reach.family = unpack_family (&unpacker);
      ret_order->reach.protocol = unpack_protocol (&unpacker, false);
      ret_order->reach.count = unpack_number (&unpacker, 1, DN_GATEWAY_LISTEN_MAX);
      break;
    case DN_GATEWAY_LIST:
    case DN_GATEWAY_POD_LOOK:
      break;
    default:
      return -EPROTO;
    }
  return dn_unpack_is_complete (&unpacker) ? 0 : -EPROTO;
}

int
dn_gateway_answer_pack (const DnGatewayAnswer *answer, uint8_t *bytes)
{
  DnPacker packer = { .bytes = bytes, .size = DN_GATEWAY_ANSWER_MAX_BYTES };

  dn_pack_u32 (&packer, (uint32_t) answer->status);
  dn_pack_text (&packer, answer->error, DN_GATEWAY_ERROR_MAX_BYTES);
  dn_pack_raw (&packer, answer->text, answer->text_size);
  return packer.failed ? -EMSGSIZE : (int) packer.used;
}

int
dn_gateway_answer_unpack (const uint8_t *bytes, size_t size, DnGatewayAnswer *ret_answer)
{
  DnUnpacker unpacker = { .bytes = bytes, .size = size };
  const uint8_t *text;

  ret_answer->status = (int32_t) dn_unpack_u32 (&unpacker);
  dn_unpack_text (&unpacker, ret_answer->error, DN_GATEWAY_ERROR_MAX_BYTES);
  text = dn_unpack_tail (&unpacker, &ret_answer->text_size);
  if (!dn_unpack_is_complete (&unpacker) || ret_answer->status > 0
      || ret_answer->text_size >= sizeof ret_answer->text)
    return -EPROTO;
  memcpy (ret_answer->text, text, ret_answer->text_size);
  ret_answer->text[ret_answer->text_size] = '\0';
  return 0;
}
