/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/network/plan.c launcher/network/gateway-order.c launcher/base/*.c protocol/*.c */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../launcher/base/gateway-pin.h"
#include "../../launcher/network/gateway-order.h"

static guint8 bytes[DN_GATEWAY_ORDER_MAX_BYTES];
static DnGatewayOrder order, read_back;

static void
begin (DnGatewayOrderType type)
{
  memset (&order, 0, sizeof order);
  order.type = type;
}

static void
begin_guest (void)
{
  begin (DN_GATEWAY_OPEN);
  g_assert_cmpint (dn_network_pool_parse (NULL, "fd12:3456:789a::/48", &order.guest.pool), ==, 0);
  order.guest.slot = 300;
  order.guest.has_internet = true;
  order.guest.connections = DN_GATEWAY_CONNECTIONS_DEFAULT;
  order.guest.rule_count = 2;
  order.guest.rules[0] = (DnGatewayRule){
    .is_allow = true, .family = 4, .address = { 10, 1 }, .bits = 16, .port_last = 65535
  };
  order.guest.rules[1]
      = (DnGatewayRule){ .list = 3, .protocol = 6, .port_first = 443, .port_last = 443 };
}

/* Returns: what the other end says of the order. */
static int
pass (void)
{
  int size = dn_gateway_order_pack (&order, bytes);

  g_assert_cmpint (size, >, 0);
  return dn_gateway_order_unpack (bytes, (gsize) size, &read_back);
}

static void
test_every_order_arrives_as_it_was_sent (void)
{
  begin_guest ();
  g_assert_cmpint (pass (), ==, 0);
  g_assert_cmpmem (&order, sizeof order, &read_back, sizeof read_back);
  begin (DN_GATEWAY_CLOSE);
  order.slot = 9999;
  g_assert_cmpint (pass (), ==, 0);
  g_assert_cmpuint (read_back.slot, ==, 9999);
  begin (DN_GATEWAY_LIST);
  g_assert_cmpint (pass (), ==, 0);
  g_assert_cmpint (read_back.type, ==, DN_GATEWAY_LIST);
}

static void
test_orders_of_pods_are_a_number_and_know_where_they_belong (void)
{
  static const DnGatewayOrderType with_slot[]
      = { DN_GATEWAY_POD_TAP, DN_GATEWAY_POD_JOIN, DN_GATEWAY_POD_LEAVE, DN_GATEWAY_POD_VERIFY };

  for (gsize i = 0; i < G_N_ELEMENTS (with_slot); i++)
    {
      begin (with_slot[i]);
      order.slot = 9999;
      g_assert_cmpint (pass (), ==, 0);
      g_assert_cmpuint (read_back.slot, ==, 9999);
      order.slot = DN_NETWORK_SLOTS;
      g_assert_cmpint (pass (), ==, -EPROTO);
    }
  begin (DN_GATEWAY_POD_LOOK);
  g_assert_cmpint (pass (), ==, 0);
  /* A tap is made in the host's network, with all others. */
  for (int type = DN_GATEWAY_OPEN; type <= DN_GATEWAY_POD_VERIFY; type++)
    g_assert_true (dn_gateway_order_is_elsewhere ((DnGatewayOrderType) type)
                   == (type > DN_GATEWAY_POD_TAP));
}

static void
test_the_largest_orders_fit_into_a_message (void)
{
  begin_guest ();
  order.guest.rule_count = DN_GATEWAY_RULES_MAX;
  for (guint i = 0; i < DN_GATEWAY_RULES_MAX; i++)
    order.guest.rules[i] = order.guest.rules[0];
  g_assert_cmpint (pass (), ==, 0);
  begin (DN_GATEWAY_MEMBERS);
  g_assert_cmpint (dn_network_pool_parse (NULL, "fd12:3456:789a::/48", &order.members.pool), ==, 0);
  order.members.group = 7;
  order.members.count = DN_GATEWAY_EXPOSED_MAX;
  for (guint i = 0; i < DN_GATEWAY_EXPOSED_MAX; i++)
    order.members.exposed[i] = (DnGatewayExposed){ i % 512, i % 64, 6, 1, 65535 };
  g_assert_cmpint (pass (), ==, 0);
  g_assert_cmpmem (&order, sizeof order, &read_back, sizeof read_back);
}

static void
test_fields_out_of_bounds_are_refused (void)
{
#define REFUSED(change)                                                                            \
  begin_guest ();                                                                                  \
  order.guest.change;                                                                              \
  g_assert_cmpint (pass (), ==, -EPROTO)
  REFUSED (pool.bits4 = 8);
  REFUSED (pool.address4.s_addr = htonl (0x08080000));
  REFUSED (pool.prefix6.s6_addr[0] = 0x20);
  REFUSED (slot = DN_NETWORK_SLOTS);
  REFUSED (egress_kbit = DN_GATEWAY_KBIT_MAX + 1);
  REFUSED (connections = 0);
  REFUSED (rule_count = DN_GATEWAY_RULES_MAX + 1);
  REFUSED (rules[0].family = 5);
  REFUSED (rules[0].bits = 33);
  REFUSED (rules[0].protocol = 1);
  REFUSED (rules[0].port_first = 70; order.guest.rules[0].port_last = 60);
  REFUSED (rules[1].list = DN_GATEWAY_LISTS_MAX + 1);
  REFUSED (rules[1].family = 4);
#undef REFUSED
}

static void
test_cut_lengthened_and_foreign_messages_are_refused (void)
{
  int size;

  begin_guest ();
  size = dn_gateway_order_pack (&order, bytes);
  for (int cut = 0; cut < size; cut++)
    g_assert_cmpint (dn_gateway_order_unpack (bytes, (gsize) cut, &read_back), <, 0);
  g_assert_cmpint (dn_gateway_order_unpack (bytes, (gsize) size + 1, &read_back), ==, -EPROTO);
  bytes[1]++;
  g_assert_cmpint (dn_gateway_order_unpack (bytes, (gsize) size, &read_back), ==, -EPROTONOSUPPORT);
  bytes[1]--;
  bytes[3] = 99;
  g_assert_cmpint (dn_gateway_order_unpack (bytes, (gsize) size, &read_back), ==, -EPROTO);
}

static void
test_an_answer_brings_its_error_and_text (void)
{
  static DnGatewayAnswer answer = { .status = -EBUSY, .error = "tap: busy", .text_size = 3 };
  static DnGatewayAnswer answered;
  int size;

  memcpy (answer.text, "a\nb", 3);
  size = dn_gateway_answer_pack (&answer, bytes);
  g_assert_cmpint (dn_gateway_answer_unpack (bytes, (gsize) size, &answered), ==, 0);
  g_assert_cmpint (answered.status, ==, -EBUSY);
  g_assert_cmpstr (answered.error, ==, "tap: busy");
  g_assert_cmpstr (answered.text, ==, "a\nb");
  g_assert_cmpint (dn_gateway_answer_unpack (bytes, 5, &answered), ==, -EPROTO);
}

static void
test_pins_are_24_bytes_each_and_at_most_32 (void)
{
  DnGatewayPin pins[DN_GATEWAY_PINS_MAX] = { { 0 } }, got[DN_GATEWAY_PINS_MAX];
  gsize size;

  for (guint i = 0; i < DN_GATEWAY_PINS_MAX; i++)
    pins[i] = (DnGatewayPin){ .family = 4, .list = 1, .ttl_s = i, .address = { 1, 1, 1, i } };
  size = dn_gateway_pins_pack (pins, DN_GATEWAY_PINS_MAX, bytes);
  g_assert_cmpuint (size, ==, DN_GATEWAY_PINS_MAX * DN_GATEWAY_PIN_BYTES);
  g_assert_cmpint (dn_gateway_pins_unpack (bytes, size, got), ==, DN_GATEWAY_PINS_MAX);
  for (guint i = 0; i < DN_GATEWAY_PINS_MAX; i++)
    {
      g_assert_cmpuint (got[i].family, ==, 4);
      g_assert_cmpuint (got[i].list, ==, 1);
      g_assert_cmpuint (got[i].ttl_s, ==, i);
      g_assert_cmpmem (got[i].address, 16, pins[i].address, 16);
    }
  g_assert_cmpint (dn_gateway_pins_unpack (bytes, size + 24, got), ==, -EPROTO);
  g_assert_cmpint (dn_gateway_pins_unpack (bytes, 23, got), ==, -EPROTO);
  g_assert_cmpint (dn_gateway_pins_unpack (bytes, 0, got), ==, -EPROTO);
  bytes[3] = 1;
  g_assert_cmpint (dn_gateway_pins_unpack (bytes, 24, got), ==, -EPROTO);
}

static void
test_a_resolver_s_servers_and_dials_are_checked (void)
{
  DnGatewayDial dial;

  begin (DN_GATEWAY_PIN);
  order.resolver = (DnGatewayResolver){
    .slot = 7, .server_count = 2, .servers = { { 4, { 8, 8, 8, 8 }, 53 }, { 6, { 0x20, 1 }, 5353 } }
  };
  g_assert_cmpint (pass (), ==, 0);
  g_assert_cmpuint (read_back.slot, ==, 7);
  g_assert_cmpmem (&order, sizeof order, &read_back, sizeof read_back);
  order.resolver.servers[1].port = 0;
  g_assert_cmpint (pass (), ==, -EPROTO);
  dn_gateway_dial_pack (&(DnGatewayDial){ 3, true }, bytes);
  g_assert_cmpint (dn_gateway_dial_unpack (bytes, DN_GATEWAY_DIAL_BYTES, &dial), ==, 0);
  g_assert_cmpuint (dial.server, ==, 3);
  g_assert_true (dial.is_tcp);
  g_assert_cmpint (dn_gateway_dial_unpack (bytes, 3, &dial), ==, -EPROTO);
  for (guint i = 0; i < DN_GATEWAY_DIAL_BYTES; i++)
    {
      bytes[i] ^= 4;
      g_assert_cmpint (dn_gateway_dial_unpack (bytes, DN_GATEWAY_DIAL_BYTES, &dial), ==, -EPROTO);
      bytes[i] ^= 4;
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(path, name) g_test_add_func ("/gateway-order/" path, test_##name)
  TEST ("every-order-arrives-as-it-was-sent", every_order_arrives_as_it_was_sent);
  TEST ("orders-of-pods-are-a-number-and-know-where-they-belong",
        orders_of_pods_are_a_number_and_know_where_they_belong);
  TEST ("the-largest-orders-fit-into-a-message", the_largest_orders_fit_into_a_message);
  TEST ("fields-out-of-bounds-are-refused", fields_out_of_bounds_are_refused);
  TEST ("cut-lengthened-and-foreign-messages-are-refused",
        cut_lengthened_and_foreign_messages_are_refused);
  TEST ("an-answer-brings-its-error-and-text", an_answer_brings_its_error_and_text);
  TEST ("a-resolver-s-servers-and-dials-are-checked", a_resolver_s_servers_and_dials_are_checked);
  TEST ("pins-are-24-bytes-each-and-at-most-32", pins_are_24_bytes_each_and_at_most_32);
  return g_test_run ();
}
