/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/resolver/table.c launcher/resolver/message*.c launcher/base/network-rule.c
   launcher/base/public-address.c launcher/base/resolver-control.c protocol/*.c */
/* Packages: -lldns */

/* A resolver's table, and its messages; with servers and sockets it is in tests/network. */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../launcher/resolver/message.h"

static DnTable table;

static void
add_rule (const char *text, gboolean is_allow, guint list)
{
  DnMsgResolverRule message = { .is_allow = is_allow };
  DnNetworkRule rule;

  g_assert_cmpstr (dn_network_rule_parse (text, &rule), ==, NULL);
  message.kind = rule.kind;
  message.is_below = rule.is_below;
  message.opens_special = rule.opens_special;
  message.list = (guint8) list;
  message.family = rule.family;
  message.prefix = rule.prefix;
  memcpy (message.address, rule.address, sizeof message.address);
  memcpy (message.domain, rule.domain, sizeof message.domain);
  g_assert_cmpint (dn_table_add_rule (&table, &message), ==, 0);
}

static void
add_name (guint guest, guint slot, const char *name, const char *context, gboolean is_own)
{
  DnMsgResolverName message = { .guest = guest, .slot = (guint8) slot, .is_own = is_own };

  message.address4[0] = 10;
  message.address4[3] = (guint8) (guest * 16 + slot);
  g_strlcpy (message.name, name, sizeof message.name);
  g_strlcpy (message.context, context, sizeof message.context);
  g_assert_cmpint (dn_table_add_name (&table, &message), ==, 0);
}

static void
test_a_name_is_judged_by_table_and_rules (void)
{
  static const struct
  {
    const char *name;
    DnNameKind kind;
    guint lists;
  } cases[] = {
    { "db", DN_NAME_OF_CONTAINER, 0 },
    { "db.backend", DN_NAME_OF_CONTAINER, 0 },
    { "a.b.backend", DN_NAME_OF_CONTAINER, 0 },
    { "1.0.0.10.in-addr.arpa", DN_NAME_UNKNOWN, 0 },
    { "16.0.0.10.in-addr.arpa", DN_NAME_OF_CONTAINER, 0 },
    { "a.b", DN_NAME_REFUSED, 0 },
    { "web", DN_NAME_UNKNOWN, 0 },
    { "", DN_NAME_UNKNOWN, 0 },
    { "localhost", DN_NAME_OF_LOOPBACK, 0 },
    { "x.localhost", DN_NAME_OF_LOOPBACK, 0 },
    { "printer.local", DN_NAME_UNKNOWN, 0 },
    { "x.onion", DN_NAME_UNKNOWN, 0 },
    { "www.example.org", DN_NAME_ASK, 0x5 },
    { "example.org", DN_NAME_REFUSED, 0 },
    { "other.example.org", DN_NAME_ASK, 0x4 },
    { "bad.example.org", DN_NAME_REFUSED, 0 },
    { "evil.net", DN_NAME_REFUSED, 0 },
    { "8.8.8.8.in-addr.arpa", DN_NAME_REFUSED, 0 },
  };

  dn_table_clear (&table);
  table.has_public = true;
  add_rule ("www.example.org", TRUE, 1);
  add_rule ("*.example.org", TRUE, 3);
  add_rule ("bad.example.org", FALSE, 0);
  add_name (1, 0, "DB", "backend", FALSE);
  add_name (2, 0, "a.b", "backend", FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnLists lists;
      DnNameKind kind = dn_table_judge (&table, cases[i].name, &lists);

      if (kind != cases[i].kind || (kind == DN_NAME_ASK && lists != cases[i].lists))
        g_test_fail_printf ("'%s': %d, lists %x", cases[i].name, kind, lists);
    }
  table.has_public = false;
  {
    DnLists lists;

    g_assert_cmpint (dn_table_judge (&table, "www.example.org", &lists), ==, DN_NAME_REFUSED);
    g_assert_cmpint (dn_table_judge (&table, "db", &lists), ==, DN_NAME_OF_CONTAINER);
  }
}

static void
test_addresses_the_other_way_round_are_read_strictly (void)
{
  static const struct
  {
    const char *name;
    const char *address; /* NULL: it is none */
  } cases[] = {
    { "1.2.3.10.in-addr.arpa", "10.3.2.1" },
    { "255.0.0.0.in-addr.arpa", "0.0.0.255" },
    { "256.0.0.0.in-addr.arpa", NULL },
    { "01.0.0.0.in-addr.arpa", NULL },
    { "1.2.3.in-addr.arpa", NULL },
    { "0.1.2.3.10.in-addr.arpa", NULL },
    { "in-addr.arpa", NULL },
    { ".in-addr.arpa", NULL },
    { "a.2.3.10.in-addr.arpa", NULL },
    { ".2.3.10.in-addr.arpa", NULL },
    { "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.1.d.f.ip6.arpa", "fd12::1" },
    { "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.1.d.ip6.arpa", NULL },
    { "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.1.d.f.ip6.arpa", NULL },
    { "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.1.dxf.ip6.arpa", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint8 family = 0, address[DN_ADDRESS_BYTES];
      char text[DN_ADDRESS_TEXT_BYTES] = "";

      if (dn_reverse_parse (cases[i].name, &family, address))
        dn_address_print (family, address, text);
      if (!g_str_equal (text, cases[i].address != NULL ? cases[i].address : ""))
        g_test_fail_printf ("%s: %s", cases[i].name, text);
    }
}

static void
test_what_danchid_tells_is_checked (void)
{
  static const DnMsgResolverRule wrong[] = {
    { .is_allow = 2, .kind = DN_RULE_DOMAIN, .domain = "a.org" },
    { .is_allow = 1, .kind = 2, .domain = "a.org" },
    { .is_allow = 1, .kind = DN_RULE_DOMAIN, .domain = "" },
    { .is_allow = 1, .kind = DN_RULE_DOMAIN, .domain = "A.org" },
    { .is_allow = 1, .kind = DN_RULE_DOMAIN, .domain = "a.org", .list = 17 },
    { .is_allow = 1, .kind = DN_RULE_ADDRESS, .family = 5 },
    { .is_allow = 1, .kind = DN_RULE_ADDRESS, .family = 4, .prefix = 33 },
  };
  DnMsgResolverName name = { .name = "a", .context = "b" };
  DnMsgResolverRule rule = { .kind = DN_RULE_DOMAIN, .domain = "a.org" };

  dn_table_clear (&table);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpint (dn_table_add_rule (&table, &wrong[i]), ==, -EPROTO);
  for (guint i = 0; i < DN_NETWORK_RULES_MAX; i++)
    g_assert_cmpint (dn_table_add_rule (&table, &rule), ==, 0);
  g_assert_cmpint (dn_table_add_rule (&table, &rule), ==, -ENOSPC);
  for (guint i = 0; i < DN_RESOLVER_NAMES_MAX; i++)
    {
      name.guest = i / 64;
      name.slot = (guint8) (i % 64);
      g_assert_cmpint (dn_table_add_name (&table, &name), ==, 0);
    }
  /* One that is there already is replaced, one more is not taken. */
  g_assert_cmpint (dn_table_add_name (&table, &name), ==, 0);
  name.guest++;
  g_assert_cmpint (dn_table_add_name (&table, &name), ==, -ENOSPC);
  name.slot = DN_RESOLVER_ALL_SLOTS;
  g_assert_cmpint (dn_table_add_name (&table, &name), ==, -EPROTO);
  dn_table_remove_names (&table, 0, DN_RESOLVER_ALL_SLOTS);
  g_assert_cmpuint (table.name_count, ==, DN_RESOLVER_NAMES_MAX - 64);
}

/* "www.example.org", A, in the form that bytes of a query have. */
static gsize
make_query (guint8 *bytes)
{
  static const guint8 query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01"
                                "\3www\7example\3org\0\0\1\0\1"
                                "\0\0\x29\x04\xd0\0\0\0\0\0\0";

  memcpy (bytes, query, sizeof query - 1);
  return sizeof query - 1;
}

static void
test_a_query_of_every_length_is_judged (void)
{
  guint8 bytes[DN_DNS_QUERY_MAX_BYTES + 1] = { 0 }, out[DN_DNS_QUERY_MAX_BYTES];
  gsize size = make_query (bytes);
  DnQuery query;

  g_assert_cmpint (dn_query_parse (bytes, size, &query), ==, LDNS_RCODE_NOERROR);
  g_assert_cmpstr (query.name, ==, "www.example.org");
  g_assert_cmpuint (query.udp_bytes, ==, 1232);
  for (gsize cut = 0; cut < size; cut++)
    g_assert_cmpint (dn_query_parse (bytes, cut, &query), ==,
                     cut < DN_DNS_HEADER_BYTES ? -EPROTO : LDNS_RCODE_FORMERR);
  g_assert_cmpint (dn_query_parse (bytes, sizeof bytes, &query), ==, LDNS_RCODE_FORMERR);
  g_assert_cmpint (dn_query_parse (bytes, size, &query), ==, LDNS_RCODE_NOERROR);
  g_assert_cmpint (dn_query_pack (&query, 7, false, out), >, 0);
  g_assert_cmpint (dn_query_parse (out, size - 11, &query), ==, LDNS_RCODE_NOERROR);
  g_assert_cmpuint (query.udp_bytes, ==, 512);
}

static void
test_a_byte_that_no_host_s_name_has_matches_no_rule (void)
{
  guint8 bytes[] = "\0\1\1\0\0\1\0\0\0\0\0\0\7www.exa\3org\0\0\1\0\1";
  DnQuery query;

  g_assert_cmpint (dn_query_parse (bytes, sizeof bytes - 1, &query), ==, LDNS_RCODE_NOERROR);
  g_assert_cmpstr (query.name, ==, "www?exa.org");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/resolver-parts/a-name-is-judged-by-table-and-rules",
                   test_a_name_is_judged_by_table_and_rules);
  g_test_add_func ("/resolver-parts/addresses-the-other-way-round-are-read-strictly",
                   test_addresses_the_other_way_round_are_read_strictly);
  g_test_add_func ("/resolver-parts/what-danchid-tells-is-checked",
                   test_what_danchid_tells_is_checked);
  g_test_add_func ("/resolver-parts/a-query-of-every-length-is-judged",
                   test_a_query_of_every_length_is_judged);
  g_test_add_func ("/resolver-parts/a-byte-that-no-host-s-name-has-matches-no-rule",
                   test_a_byte_that_no_host_s_name_has_matches_no_rule);
  return g_test_run ();
}
