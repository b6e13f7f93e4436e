/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/base/public-address.c */
#include <arpa/inet.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "../../launcher/base/public-address.h"

static guint8
parse (const char *text, guint8 *address)
{
  if (inet_pton (AF_INET, text, address) == 1)
    return 4;
  g_assert_cmpint (inet_pton (AF_INET6, text, address), ==, 1);
  return 6;
}

static void
test_addresses_of_the_internet_are_public (void)
{
  static const char *const public[]
      = { "1.1.1.1",     "8.8.8.8",     "9.255.255.255", "11.0.0.0",    "100.63.255.255",
          "100.128.0.0", "172.15.0.1",  "172.32.0.1",    "169.253.1.1", "192.167.1.1",
          "198.17.1.1",  "198.20.0.1",  "223.255.255.1", "192.0.1.1",   "203.0.112.1",
          "2606:4700::", "2a00:1450::", "2001:4860::",   "2003::1",     "3ffe::1" };
  guint8 address[16];

  for (gsize i = 0; i < G_N_ELEMENTS (public); i++)
    {
      guint8 family = parse (public[i], address);

      g_test_message ("%s", public[i]);
      g_assert_true (dn_address_is_public (family, address));
    }
}

static void
test_special_purposes_and_ways_around_them_are_not_public (void)
{
  static const char *const special[] = { "0.0.0.0",
                                         "10.0.0.1",
                                         "10.255.255.255",
                                         "100.64.0.1",
                                         "100.127.255.255",
                                         "127.0.0.1",
                                         "169.254.169.254",
                                         "172.16.0.1",
                                         "172.31.255.255",
                                         "192.0.0.1",
                                         "192.0.2.1",
                                         "192.88.99.1",
                                         "192.168.0.1",
                                         "198.18.0.1",
                                         "198.19.255.255",
                                         "198.51.100.1",
                                         "203.0.113.1",
                                         "224.0.0.251",
                                         "239.1.1.1",
                                         "240.0.0.1",
                                         "255.255.255.255",
                                         "::",
                                         "::1",
                                         "::127.0.0.1",
                                         "::ffff:10.0.0.1",
                                         "::ffff:8.8.8.8",
                                         "64:ff9b::a00:1",
                                         "64:ff9b:1::1",
                                         "100::1",
                                         "2001::1",
                                         "2001:10::1",
                                         "2001:db8::1",
                                         "2002:a00:1::1",
                                         "3fff::1",
                                         "4000::1",
                                         "5f00::1",
                                         "fc00::1",
                                         "fd00:ec2::254",
                                         "fe00::1",
                                         "fe80::1",
                                         "fec0::1",
                                         "ff02::1",
                                         "ff0e::1" };
  guint8 address[16];

  for (gsize i = 0; i < G_N_ELEMENTS (special); i++)
    {
      guint8 family = parse (special[i], address);

      g_test_message ("%s", special[i]);
      g_assert_false (dn_address_is_public (family, address));
    }
  g_assert_false (dn_address_is_public (0, address));
  g_assert_false (dn_address_is_public (10, address));
}

static void
test_the_table_and_its_texts_are_the_same (void)
{
  for (gsize i = 0; i < dn_special_range_count; i++)
    {
      const DnSpecialRange *range = &dn_special_ranges[i];
      g_auto (GStrv) parts = g_strsplit (range->range, "/", 2);
      guint8 address[16] = { 0 };

      g_assert_cmpuint (parse (parts[0], address), ==, range->family);
      g_assert_cmpmem (address, sizeof address, range->address, sizeof range->address);
      g_assert_cmpuint (strtoul (parts[1], NULL, 10), ==, range->bits);
    }
}

static void
test_no_range_holds_a_special_one_and_is_taken_for_it (void)
{
  guint8 address[16] = { 0 };

  /* Who opens everything has named nothing private. */
  g_assert_false (dn_range_is_special (4, address, 0));
  g_assert_true (dn_range_is_never (4, address, 0));
  g_assert_true (dn_range_is_never (6, address, 0));
  parse ("10.1.0.0", address);
  g_assert_true (dn_range_is_special (4, address, 16));
  g_assert_false (dn_range_is_special (4, address, 7));
  g_assert_false (dn_range_is_never (4, address, 16));
  parse ("169.254.169.254", address);
  g_assert_true (dn_range_is_never (4, address, 32));
  parse ("169.254.0.0", address);
  g_assert_true (dn_range_is_never (4, address, 15));
  parse ("fe80::", address);
  g_assert_true (dn_range_is_never (6, address, 64));
  parse ("fd00::", address);
  g_assert_true (dn_range_is_special (6, address, 48));
  g_assert_false (dn_range_is_never (6, address, 48));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(path, name) g_test_add_func ("/public-address/" path, test_##name)
  TEST ("addresses-of-the-internet-are-public", addresses_of_the_internet_are_public);
  TEST ("special-purposes-and-ways-around-them-are-not-public",
        special_purposes_and_ways_around_them_are_not_public);
  TEST ("the-table-and-its-texts-are-the-same", the_table_and_its_texts_are_the_same);
  TEST ("no-range-holds-a-special-one-and-is-taken-for-it",
        no_range_holds_a_special_one_and_is_taken_for_it);
  return g_test_run ();
}
