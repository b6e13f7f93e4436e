/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/base/special-ranges.c launcher/base/network-rule.c */

/* Every entry of IANA's registries of special addresses, and what we make of it (R5.17). */
#include <glib.h>
#include <string.h>

#include "../../launcher/base/network-rule.h"

#define CLOSED DN_RANGE_CLOSED
#define NEVER DN_RANGE_NEVER
#define PUBLIC DN_RANGE_PUBLIC

/* A block as the registry writes it; whether it says "globally reachable"; what it is here.  What
 * is not global may never be public; what is global may still be closed, where it lies in a block
 * of protocols or carries another address. */
static const struct
{
  const char *block;
  gboolean is_global;
  DnRangeKind kind;
} registry[] = {
  /* iana-ipv4-special-registry */
  { "0.0.0.0/8", FALSE, NEVER },
  { "0.0.0.0/32", FALSE, NEVER },
  { "10.0.0.0/8", FALSE, CLOSED },
  { "100.64.0.0/10", FALSE, CLOSED },
  { "127.0.0.0/8", FALSE, NEVER },
  { "169.254.0.0/16", FALSE, NEVER },
  { "172.16.0.0/12", FALSE, CLOSED },
  { "192.0.0.0/24", FALSE, CLOSED },
  { "192.0.0.0/29", FALSE, CLOSED },
  { "192.0.0.8/32", FALSE, CLOSED },
  { "192.0.0.9/32", TRUE, CLOSED },
  { "192.0.0.10/32", TRUE, CLOSED },
  { "192.0.0.170/32", FALSE, CLOSED },
  { "192.0.0.171/32", FALSE, CLOSED },
  { "192.0.2.0/24", FALSE, CLOSED },
  { "192.31.196.0/24", TRUE, PUBLIC },
  { "192.52.193.0/24", TRUE, PUBLIC },
  { "192.88.99.0/24", FALSE, CLOSED },
  { "192.168.0.0/16", FALSE, CLOSED },
  { "192.175.48.0/24", TRUE, PUBLIC },
  { "198.18.0.0/15", FALSE, CLOSED },
  { "198.51.100.0/24", FALSE, CLOSED },
  { "203.0.113.0/24", FALSE, CLOSED },
  { "240.0.0.0/4", FALSE, NEVER },
  { "255.255.255.255/32", FALSE, NEVER },
  /* iana-ipv6-special-registry */
  { "::1/128", FALSE, NEVER },
  { "::/128", FALSE, NEVER },
  { "::ffff:0:0/96", FALSE, NEVER },
  { "64:ff9b::/96", TRUE, CLOSED },
  { "64:ff9b:1::/48", FALSE, CLOSED },
  { "100::/64", FALSE, CLOSED },
  { "100:0:0:1::/64", FALSE, CLOSED },
  { "2001::/23", FALSE, CLOSED },
  { "2001::/32", FALSE, CLOSED },
  { "2001:1::1/128", TRUE, CLOSED },
  { "2001:1::2/128", TRUE, CLOSED },
  { "2001:1::3/128", TRUE, CLOSED },
  { "2001:2::/48", FALSE, CLOSED },
  { "2001:3::/32", TRUE, CLOSED },
  { "2001:4:112::/48", TRUE, CLOSED },
  { "2001:10::/28", FALSE, CLOSED },
  { "2001:20::/28", TRUE, CLOSED },
  { "2001:30::/28", TRUE, CLOSED },
  { "2001:db8::/32", FALSE, CLOSED },
  { "2002::/16", FALSE, CLOSED },
  { "2620:4f:8000::/48", TRUE, PUBLIC },
  { "3fff::/20", FALSE, CLOSED },
  { "5f00::/16", FALSE, CLOSED },
  { "fc00::/7", FALSE, CLOSED },
  { "fe80::/10", FALSE, NEVER },
  /* Multicast and what else is no unicast address: the registries of address spaces. */
  { "224.0.0.0/4", FALSE, NEVER },
  { "ff00::/8", FALSE, NEVER },
  { "fec0::/10", FALSE, NEVER },
  { "::/8", FALSE, CLOSED },
  { "4000::/3", FALSE, CLOSED },
  { "8000::/3", FALSE, CLOSED },
  { "e000::/4", FALSE, CLOSED },
};

static void
set_all_behind (guint8 *address, guint bits, guint prefix)
{
  for (guint i = prefix; i < bits; i++)
    address[i / 8] |= (guint8) (0x80 >> i % 8);
}

/* The first and the last address of every entry are of its kind. */
static void
test_every_entry_of_the_registries_is_what_it_should_be (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (registry); i++)
    {
      DnNetworkRule rule;
      const char *fault = dn_network_rule_parse (registry[i].block, &rule);
      guint bits = rule.family == 4 ? 32 : 128;
      DnRangeKind first, last;

      g_assert_cmpstr (fault, ==, NULL);
      first = dn_special_kind (rule.family, rule.address);
      /* "::" itself is more special than what is around it. */
      if (g_str_equal (registry[i].block, "::/8"))
        first = CLOSED;
      set_all_behind (rule.address, bits, rule.prefix);
      last = dn_special_kind (rule.family, rule.address);
      if (first != registry[i].kind || last != registry[i].kind
          || (!registry[i].is_global && registry[i].kind == PUBLIC))
        g_test_fail_printf ("%s: kinds %d and %d", registry[i].block, first, last);
    }
}

static void
test_what_lies_beside_is_public (void)
{
  static const char *const texts[] = {
    "1.0.0.0",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255",  "100.128.0.0",
    "126.255.255.255", "128.0.0.0",       "169.253.255.255", "169.255.0.0",     "172.15.255.255",
    "172.32.0.0",      "192.0.1.0",       "192.167.255.255", "192.169.0.0",     "198.17.255.255",
    "198.20.0.0",      "223.255.255.255", "8.8.8.8",         "2000::1",         "2001:200::1",
    "2001:db7:ffff::", "2001:db9::",      "2003::1",         "2606:4700::1111", "3ffe:ffff::1",
    "3fff:1000::1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      guint8 family, address[DN_ADDRESS_BYTES];

      g_assert_true (dn_address_parse (texts[i], &family, address));
      if (dn_special_kind (family, address) != PUBLIC)
        g_test_fail_printf ("%s: is special", texts[i]);
    }
}

static void
test_a_block_is_special_only_as_a_whole (void)
{
  static const struct
  {
    const char *block;
    gboolean is_special;
  } blocks[] = { { "0.0.0.0/0", FALSE },     { "8.0.0.0/5", FALSE },     { "10.0.0.0/7", FALSE },
                 { "10.0.0.0/8", TRUE },     { "10.1.2.0/24", TRUE },    { "10.1.2.3", TRUE },
                 { "::/0", FALSE },          { "2000::/3", FALSE },      { "fc00::/6", TRUE },
                 { "fd12:3456::/32", TRUE }, { "192.168.0.0/15", FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    {
      DnNetworkRule rule;

      g_assert_cmpstr (dn_network_rule_parse (blocks[i].block, &rule), ==, NULL);
      if (rule.opens_special != blocks[i].is_special)
        g_test_fail_printf ("%s: %d", blocks[i].block, rule.opens_special);
    }
}

static void
test_more_specific_ranges_stand_first (void)
{
  for (gsize i = 0; i < dn_special_ranges_count; i++)
    {
      const DnSpecialRange *range = &dn_special_ranges[i];

      g_assert_false (dn_address_has_host_bits (range->address, range->family, range->prefix));
      if (dn_special_range_find (range->family, range->address, range->prefix) != range)
        g_test_fail_printf ("entry %zu is hidden by an earlier one", i);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/special-ranges/every-entry-of-the-registries-is-what-it-should-be",
                   test_every_entry_of_the_registries_is_what_it_should_be);
  g_test_add_func ("/special-ranges/what-lies-beside-is-public", test_what_lies_beside_is_public);
  g_test_add_func ("/special-ranges/a-block-is-special-only-as-a-whole",
                   test_a_block_is_special_only_as_a_whole);
  g_test_add_func ("/special-ranges/more-specific-ranges-stand-first",
                   test_more_specific_ranges_stand_first);
  return g_test_run ();
}
