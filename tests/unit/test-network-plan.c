/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/network/plan.c */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../launcher/guest/identity.h"
#include "../../launcher/network/plan.h"

static DnNetworkPool
default_pool (void)
{
  DnNetworkPool pool;

  g_assert_cmpint (dn_network_pool_parse (NULL, "fd12:3456:789a::/48", &pool), ==, 0);
  return pool;
}

static const char *
text4 (struct in_addr address)
{
  static char text[4][INET_ADDRSTRLEN];
  static guint next;
  char *buffer = text[next++ % G_N_ELEMENTS (text)];

  return inet_ntop (AF_INET, &address, buffer, sizeof text[0]);
}

static const char *
text6 (struct in6_addr address)
{
  static char text[4][INET6_ADDRSTRLEN];
  static guint next;
  char *buffer = text[next++ % G_N_ELEMENTS (text)];

  return inet_ntop (AF_INET6, &address, buffer, sizeof text[0]);
}

static void
test_a_slot_gives_all_names_and_addresses (void)
{
  DnNetworkPool pool = default_pool ();
  char mac[DN_NETWORK_MAC_TEXT_BYTES];
  struct in6_addr six;
  struct in_addr four;
  DnNetworkPlan plan;

  g_assert_cmpint (dn_network_plan_make (&pool, 259, &plan), ==, 0);
  g_assert_cmpuint (plan.uid, ==, 200260);
  g_assert_cmpstr (plan.tap, ==, "dn200260");
  dn_network_mac_format (plan.guest_mac, mac);
  g_assert_cmpstr (mac, ==, "02:64:6e:00:01:03");
  dn_network_mac_format (plan.host_mac, mac);
  g_assert_cmpstr (mac, ==, "02:64:6e:01:01:03");
  g_assert_cmpstr (text4 (plan.block4), ==, "10.217.129.128");
  g_assert_cmpstr (text4 (plan.gateway4), ==, "10.217.129.129");
  g_assert_cmpstr (text4 (plan.guest4), ==, "10.217.129.130");
  g_assert_cmpstr (text6 (plan.block6), ==, "fd12:3456:789a:103::");
  g_assert_cmpstr (text6 (plan.gateway6), ==, "fd12:3456:789a:103::1");
  g_assert_cmpstr (text6 (plan.guest6), ==, "fd12:3456:789a:103::2");
  g_assert_cmpint (dn_network_plan_container (&plan, 63, &four, &six), ==, 0);
  g_assert_cmpstr (text4 (four), ==, "10.217.129.201");
  g_assert_cmpstr (text6 (six), ==, "fd12:3456:789a:103::4f");
  g_assert_cmpint (dn_network_plan_container (&plan, 64, &four, &six), ==, -ERANGE);
}

static void
test_uids_are_those_of_the_identities (void)
{
  g_assert_cmpuint (DN_NETWORK_UID_FIRST, ==, DN_IDENTITY_UID_FIRST);
  g_assert_cmpuint (DN_NETWORK_SLOTS, ==, DN_IDENTITY_SLOTS);
}

static void
test_no_two_slots_share_a_block_and_all_lie_in_the_pool (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  DnNetworkPool pool = default_pool ();
  DnNetworkPlan plan;

  g_assert_cmpuint (dn_network_pool_count (&pool), ==, 512);
  for (guint slot = 0; slot < 512; slot++)
    {
      g_assert_cmpint (dn_network_plan_make (&pool, slot, &plan), ==, 0);
      g_assert_cmphex (ntohl (plan.block4.s_addr) >> 16, ==, 0x0ad9);
      g_assert_true (g_hash_table_add (seen, GUINT_TO_POINTER (plan.block4.s_addr)));
      g_assert_cmphex (ntohl (plan.block4.s_addr) & 0x7f, ==, 0);
    }
  g_assert_cmpint (dn_network_plan_make (&pool, 512, &plan), ==, -ERANGE);
}

static void
test_addresses_lead_back_to_their_containers (void)
{
  DnNetworkPool pool = default_pool ();

  for (guint slot = 0; slot < 512; slot += 73)
    for (guint container = 0; container < DN_NETWORK_CONTAINERS_MAX; container++)
      {
        guint32 found, found_container;
        struct in6_addr six;
        struct in_addr four;
        DnNetworkPlan plan;

        g_assert_cmpint (dn_network_plan_make (&pool, slot, &plan), ==, 0);
        g_assert_cmpint (dn_network_plan_container (&plan, container, &four, &six), ==, 0);
        g_assert_cmpint (dn_network_plan_find4 (&pool, four, &found, &found_container), ==, 0);
        g_assert_cmpuint (found, ==, slot);
        g_assert_cmpuint (found_container, ==, container);
        g_assert_cmpint (dn_network_plan_find6 (&pool, &six, &found, &found_container), ==, 0);
        g_assert_cmpuint (found, ==, slot);
        g_assert_cmpuint (found_container, ==, container);
      }
}

static void
test_an_address_of_no_container_leads_nowhere (void)
{
  static const char *const fours[] = { "10.217.0.1",   "10.217.0.2",  "10.217.0.9", "10.217.0.74",
                                       "10.216.255.9", "10.218.0.10", "8.8.8.8",    "0.0.0.0" };
  static const char *const sixes[]
      = { "fd12:3456:789a::1",    "fd12:3456:789a::f",        "fd12:3456:789a::50",
          "fd12:3456:789b::10",   "fd12:3456:789a:0:1::10",   "fd12:3456:789a:200::10",
          "fd12:3456:789a::1:10", "2001:db8:789a:0:0:0:0:10", "::10" };
  DnNetworkPool pool = default_pool ();
  guint32 slot, container;

  for (gsize i = 0; i < G_N_ELEMENTS (fours); i++)
    {
      struct in_addr address;

      g_assert_cmpint (inet_pton (AF_INET, fours[i], &address), ==, 1);
      g_assert_cmpint (dn_network_plan_find4 (&pool, address, &slot, &container), ==, -ENOENT);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (sixes); i++)
    {
      struct in6_addr address;

      g_assert_cmpint (inet_pton (AF_INET6, sixes[i], &address), ==, 1);
      g_assert_cmpint (dn_network_plan_find6 (&pool, &address, &slot, &container), ==, -ENOENT);
    }
}

static void
test_a_pool_is_a_private_range_of_12_to_22_bits (void)
{
  static const char *const good[]
      = { "10.217.0.0/16", "10.16.0.0/12", "192.168.0.0/22", "172.16.0.0/12", "100.64.0.0/16" };
  static const char *const bad[] = {
    "10.217.0.0",    "10.217.0.0/",          "10.217.0.0/16x", "10.217.0.0/ 16", "10.217.0.0/+16",
    "10.217.0.1/16", "10.0.0.0/11",          "10.217.0.0/23",  "8.8.0.0/16",     "172.0.0.0/12",
    "127.0.0.0/16",  "169.254.0.0/16",       "224.0.0.0/16",   "fd00::/16",      "",
    "/16",           "10.217.0.0/4294967312"
  };
  static const char *const bad6[] = { "fd12:3456:789a::/64",   "fd12:3456:789a:1::/48",
                                      "fc12:3456:789a::/48",   "2001:db8:789a::/48",
                                      "fd12:3456:789a::",      "10.217.0.0/16",
                                      "fd12:3456:789a::1/48 ", "" };
  DnNetworkPool pool;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_cmpint (dn_network_pool_parse (good[i], "fd12:3456:789a::/48", &pool), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_cmpint (dn_network_pool_parse (bad[i], "fd12:3456:789a::/48", &pool), ==, -EINVAL);
  for (gsize i = 0; i < G_N_ELEMENTS (bad6); i++)
    g_assert_cmpint (dn_network_pool_parse (NULL, bad6[i], &pool), ==, -ERANGE);
}

static void
test_only_our_own_names_are_taps_of_ours (void)
{
  static const char *const foreign[]
      = { "eth0",     "dn",        "dn200000",  "dn210001",         "dn0200001",
          "dn+20001", "dn200001x", " dn200001", "dn99999999999999", "DN200001" };
  char name[DN_NETWORK_TAP_BYTES];
  guint32 slot;

  dn_network_tap_name (0, name);
  g_assert_cmpstr (name, ==, "dn200001");
  for (guint expected = 0; expected < DN_NETWORK_SLOTS; expected += 997)
    {
      dn_network_tap_name (expected, name);
      g_assert_true (dn_network_tap_slot (name, &slot));
      g_assert_cmpuint (slot, ==, expected);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (foreign); i++)
    g_assert_false (dn_network_tap_slot (foreign[i], &slot));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(path, name) g_test_add_func ("/network-plan/" path, test_##name)
  TEST ("a-slot-gives-all-names-and-addresses", a_slot_gives_all_names_and_addresses);
  TEST ("uids-are-those-of-the-identities", uids_are_those_of_the_identities);
  TEST ("no-two-slots-share-a-block-and-all-lie-in-the-pool",
        no_two_slots_share_a_block_and_all_lie_in_the_pool);
  TEST ("addresses-lead-back-to-their-containers", addresses_lead_back_to_their_containers);
  TEST ("an-address-of-no-container-leads-nowhere", an_address_of_no_container_leads_nowhere);
  TEST ("a-pool-is-a-private-range-of-12-to-22-bits", a_pool_is_a_private_range_of_12_to_22_bits);
  TEST ("only-our-own-names-are-taps-of-ours", only_our_own_names_are_taps_of_ours);
  return g_test_run ();
}
