/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/network/gateway.c launcher/network/gateway-order.c launcher/network/plan.c
   launcher/spec/network-policy.c launcher/base/network-rule.c launcher/base/public-address.c
   launcher/common/json.c launcher/common/key-*.c launcher/common/names.c launcher/common/error.c
   launcher/guest/identity.c launcher/guest/identity-use.c launcher/guest/process.c
   launcher/common/paths.c protocol/pack.c */
/* From a policy to what the gateway is ordered. */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/network/gateway.h"

static DnGatewayGuest guest;

/* What is ordered is looked at, not sent. */
gboolean
dn_gateway_order (const DnGatewayOrder *order, const DnFdList *fds, DnFdList *ret_fds,
                  char **ret_text, GError **error)
{
  (void) order;
  (void) fds;
  (void) ret_fds;
  (void) ret_text;
  return dn_throw (error, DN_ERROR_FAILED, "there is no gateway here");
}

/* Of a context's file with these lines below [network]. */
static void
order (const char *lines, guint32 group)
{
  g_autofree char *text = g_strdup_printf ("[network]\n%s", lines);
  g_auto (DnNetworkPolicy) policy = { 0 };
  DnKey keys[DN_NETWORK_POLICY_KEYS + 1] = { { 0 } };
  g_autoptr (GError) error = NULL;
  DnNetworkPool pool;

  dn_network_policy_init (&policy);
  dn_network_policy_fill_keys (&policy, keys);
  g_assert_true (dn_key_file_parse (text, strlen (text), "test", keys, &error));
  g_assert_true (dn_network_policy_check (&policy, "test", NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (dn_network_pool_parse (NULL, "fd12:3456:789a::/48", &pool), ==, 0);
  dn_gateway_guest_from_policy (&policy, &pool, 7, group, 1024, &guest);
  g_assert_cmpuint (guest.slot, ==, 7);
  g_assert_cmpuint (guest.group, ==, group);
  g_assert_cmpuint (guest.connections, ==, 1024);
}

static void
test_an_internal_guest_has_neither_names_nor_the_internet (void)
{
  order ("mode = internal\nallow = 192.0.2.0/24\n", 0);
  g_assert_false (guest.has_internet);
  g_assert_false (guest.has_resolver);
  g_assert_cmpuint (guest.rule_count, ==, 0);
}

static void
test_egress_is_all_that_is_public_until_something_is_allowed (void)
{
  order ("mode = egress\negress_kbit = 5000\ningress_kbit = 7000\n", 0);
  g_assert_true (guest.has_internet);
  g_assert_true (guest.has_resolver);
  g_assert_cmpuint (guest.egress_kbit, ==, 5000);
  g_assert_cmpuint (guest.ingress_kbit, ==, 7000);
  order ("mode = egress\nallow = 8.8.0.0/16:53/udp\n", 0);
  g_assert_false (guest.has_internet);
  g_assert_cmpuint (guest.rule_count, ==, 1);
  g_assert_true (guest.rules[0].is_allow);
  g_assert_cmpuint (guest.rules[0].family, ==, 4);
  g_assert_cmpuint (guest.rules[0].bits, ==, 16);
  g_assert_cmpuint (guest.rules[0].protocol, ==, 17);
  g_assert_cmpuint (guest.rules[0].port_first, ==, 53);
  g_assert_cmpuint (guest.rules[0].port_last, ==, 53);
  order ("mode = egress\ndeny = 8.8.8.8\n", 0);
  g_assert_true (guest.has_internet);
  g_assert_cmpuint (guest.rule_count, ==, 1);
  g_assert_false (guest.rules[0].is_allow);
  g_assert_cmpuint (guest.rules[0].port_first, ==, 0);
  g_assert_cmpuint (guest.rules[0].port_last, ==, 65535);
}

static void
test_names_with_the_same_ports_are_one_list_and_denied_ones_are_none (void)
{
  order ("mode = egress\nallow = *.debian.org:443/tcp;deb.example.com:443/tcp;git.example.com:22\n"
         "deny = bad.debian.org\n",
         0);
  g_assert_false (guest.has_internet);
  g_assert_cmpuint (guest.rule_count, ==, 2);
  g_assert_cmpuint (guest.rules[0].list, !=, guest.rules[1].list);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmpuint (guest.rules[i].list, >, 0);
      g_assert_cmpuint (guest.rules[i].family, ==, 0);
      g_assert_true (guest.rules[i].is_allow);
    }
}

static void
test_a_tenant_network_leads_out_only_where_it_says_so (void)
{
  order ("mode = backnet\nallow = 10.1.0.0/16\n", 3);
  g_assert_false (guest.has_internet);
  g_assert_cmpuint (guest.rule_count, ==, 0);
  g_assert_true (guest.has_resolver);
  order ("mode = backnet\negress = yes\n", 3);
  g_assert_true (guest.has_internet);
}

static void
test_the_largest_policy_is_an_order_that_fits (void)
{
  g_autofree DnGatewayOrder *message = g_new0 (DnGatewayOrder, 1);
  g_autofree guint8 *bytes = g_malloc (DN_GATEWAY_ORDER_MAX_BYTES);
  GString *lines = g_string_new ("mode = egress\n");

  for (guint i = 0; i < 2; i++)
    {
      g_string_append (lines, i == 0 ? "allow = " : "\ndeny = ");
      for (guint rule = 0; rule < DN_NETWORK_RULES_MAX; rule++)
        g_string_append_printf (lines, "%s[2001:4860:%x::%x]:1-65534/tcp", rule > 0 ? ";" : "", i,
                                rule);
    }
  order (lines->str, 0);
  g_string_free (lines, TRUE);
  g_assert_cmpuint (guest.rule_count, ==, 2 * DN_NETWORK_RULES_MAX);
  message->type = DN_GATEWAY_OPEN;
  message->guest = guest;
  g_assert_cmpint (dn_gateway_order_pack (message, bytes), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(path, name) g_test_add_func ("/gateway-guest/" path, test_##name)
  TEST ("an-internal-guest-has-neither-names-nor-the-internet",
        an_internal_guest_has_neither_names_nor_the_internet);
  TEST ("egress-is-all-that-is-public-until-something-is-allowed",
        egress_is_all_that_is_public_until_something_is_allowed);
  TEST ("names-with-the-same-ports-are-one-list-and-denied-ones-are-none",
        names_with_the_same_ports_are_one_list_and_denied_ones_are_none);
  TEST ("a-tenant-network-leads-out-only-where-it-says-so",
        a_tenant_network_leads_out_only_where_it_says_so);
  TEST ("the-largest-policy-is-an-order-that-fits", the_largest_policy_is_an_order_that_fits);
  return g_test_run ();
}
