/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/network-policy.c launcher/base/network-rule.c
   launcher/base/public-address.c launcher/common/json.c launcher/common/key-*.c
   launcher/common/names.c launcher/common/error.c */

/* The group [network] of a context's file, from text to rules (R2.1, R5.13, R5.17). */
#include <netinet/in.h>
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/spec/network-policy.h"

static gboolean
read_policy (const char *text, DnNetworkPolicy *policy, GError **error)
{
  DnKey keys[DN_NETWORK_POLICY_KEYS + 1] = { { NULL } };
  g_autofree char *file = g_strconcat ("[network]\n", text, NULL);
  g_autoptr (DnKeyPlaces) places = dn_key_places_new ();

  dn_network_policy_init (policy);
  dn_network_policy_fill_keys (policy, keys);
  return dn_key_file_parse_places (file, strlen (file), "a.conf", keys, places, error)
         && dn_network_policy_check (policy, "a.conf", places, error);
}

/* "kind family/prefix opens ports proto domain", for a table. */
static char *
print_rule (const DnNetworkRule *rule)
{
  char address[DN_ADDRESS_TEXT_BYTES] = "";
  const char *protocol = rule->protocol == IPPROTO_TCP   ? " tcp"
                         : rule->protocol == IPPROTO_UDP ? " udp"
                                                         : "";
  g_autofree char *ports = rule->ports.first != 0
                               ? g_strdup_printf (" %u-%u", rule->ports.first, rule->ports.last)
                               : g_strdup ("");

  if (rule->kind == DN_RULE_DOMAIN)
    return g_strdup_printf ("%s'%s'%s%s", rule->is_below ? "below " : "", rule->domain, ports,
                            protocol);
  dn_address_print (rule->family, rule->address, address);
  return g_strdup_printf ("%s/%u%s%s%s", address, rule->prefix, ports, protocol,
                          rule->opens_special ? " special" : "");
}

static void
test_rules_are_read_as_they_are_written (void)
{
  static const struct
  {
    const char *text;
    const char *rule; /* "!" and the fault */
  } cases[] = {
    { "8.8.8.8", "8.8.8.8/32" },
    { "8.8.8.8:53", "8.8.8.8/32 53-53" },
    { "8.8.8.0/24:53-54/udp", "8.8.8.0/24 53-54 udp" },
    { "8.8.8.0/24/tcp", "8.8.8.0/24 tcp" },
    { "10.0.0.0/8", "10.0.0.0/8 special" },
    { "0.0.0.0/0:443", "0.0.0.0/0 443-443" },
    { "2606:4700::/32", "2606:4700::/32" },
    { "[2606:4700::/32]:443/tcp", "2606:4700::/32 443-443 tcp" },
    { "[2606:4700::1]", "2606:4700::1/128" },
    { "fd00::/8", "fd00::/8 special" },
    { "deb.debian.org", "'deb.debian.org'" },
    { "DEB.Debian.ORG:443/tcp", "'deb.debian.org' 443-443 tcp" },
    { "*.debian.org:80-443", "below 'debian.org' 80-443" },
    { "*", "below ''" },
    { "*:443", "below '' 443-443" },
    { "xn--bcher-kva.example", "'xn--bcher-kva.example'" },
    { "_dmarc.example.org", "'_dmarc.example.org'" },
    { "localhost", "'localhost'" },
    { "8.8.8.8/33", "!has no prefix length" },
    { "8.8.8.8/", "!has no prefix length" },
    { "8.8.8.8/024", "!has no prefix length" },
    { "8.8.8.8/24", "!has bits behind its prefix" },
    { "2606:4700::1/32", "!has bits behind its prefix" },
    { "8.8.8", "!is no address" },
    { "8.8.8.8.8", "!is no address" },
    { "08.8.8.8", "!is no address" },
    { "8.8.8.8:0", "!has no ports" },
    { "8.8.8.8:65536", "!has no ports" },
    { "8.8.8.8:90-80", "!has no ports" },
    { "8.8.8.8:80-", "!has no ports" },
    { "8.8.8.8:http", "!has no ports" },
    { "8.8.8.8:80/sctp", "!has no ports" },
    { "[8.8.8.8]:80", "!has brackets, which are for IPv6" },
    { "[2606:4700::1:80", "!has a bracket too few" },
    { "[2606:4700::1]x", "!has a bracket too few" },
    { "fe80::1%eth0", "!is no address" },
    { ":80", "!names no address" },
    { "debian..org", "!is neither an address nor a name" },
    { "-a.org", "!is neither an address nor a name" },
    { "a-.org", "!is neither an address nor a name" },
    { "a.org.", "!is neither an address nor a name" },
    { "*a.org", "!is neither an address nor a name" },
    { "a.*.org", "!is neither an address nor a name" },
    { "*.", "!is neither an address nor a name" },
    { "a.org/24", "!is no address" },
    { "a.1", "!is neither an address nor a name" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnNetworkRule rule;
      const char *fault = dn_network_rule_parse (cases[i].text, &rule);
      g_autofree char *text = fault == NULL ? print_rule (&rule) : g_strconcat ("!", fault, NULL);

      if (fault == NULL ? !g_str_equal (text, cases[i].rule)
                        : !g_str_has_prefix (text, cases[i].rule))
        g_test_fail_printf ("%s: %s", cases[i].text, text);
    }
}

static void
test_names_of_rules_match_as_they_should (void)
{
  static const struct
  {
    const char *rule;
    const char *name;
    gboolean matches;
  } cases[] = {
    { "debian.org", "debian.org", TRUE },
    { "debian.org", "www.debian.org", FALSE },
    { "*.debian.org", "debian.org", FALSE },
    { "*.debian.org", "www.debian.org", TRUE },
    { "*.debian.org", "a.b.debian.org", TRUE },
    { "*.debian.org", "evildebian.org", FALSE },
    { "*.debian.org", ".debian.org", TRUE },
    { "*.debian.org", "debian.org.evil", FALSE },
    { "*", "anything", TRUE },
    { "8.8.8.8", "8.8.8.8", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnNetworkRule rule;

      g_assert_cmpstr (dn_network_rule_parse (cases[i].rule, &rule), ==, NULL);
      if (dn_network_rule_has_domain (&rule, cases[i].name) != cases[i].matches)
        g_test_fail_printf ("%s, %s", cases[i].rule, cases[i].name);
    }
}

static void
test_only_an_explicit_block_opens_what_is_private (void)
{
  static const struct
  {
    const char *rule;
    const char *address;
    gboolean is_open;
  } cases[] = {
    { "0.0.0.0/0", "8.8.8.8", TRUE },
    { "0.0.0.0/0", "10.0.0.1", FALSE },
    { "0.0.0.0/0", "169.254.169.254", FALSE },
    { "8.0.0.0/6", "10.0.0.1", FALSE },
    { "10.0.0.0/8", "10.0.0.1", TRUE },
    { "10.0.0.0/8", "11.0.0.1", FALSE },
    { "::/0", "fd00::1", FALSE },
    { "::/0", "2606:4700::1", TRUE },
    { "fd00::/8", "fd00::1", TRUE },
    { "10.0.0.0/8", "fd00::1", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint8 family, address[DN_ADDRESS_BYTES];
      DnNetworkRule rule;

      g_assert_cmpstr (dn_network_rule_parse (cases[i].rule, &rule), ==, NULL);
      g_assert_true (dn_address_parse (cases[i].address, &family, address));
      if (dn_network_rule_has_address (&rule, family, address) != cases[i].is_open)
        g_test_fail_printf ("%s, %s", cases[i].rule, cases[i].address);
    }
}

static void
test_what_is_wrong_is_named_with_its_line (void)
{
  static const struct
  {
    const char *text;
    const char *message; /* NULL: nothing is */
  } slips[] = {
    { "", NULL },
    { "mode = egress\nallow = *.debian.org:443/tcp;10.0.0.0/8\ndeny = 10.1.0.0/16;evil.org\n",
      NULL },
    { "mode = back_end\negress = yes\ncontainers = yes\n", NULL },
    { "egress_kbit = 1000\ningress_kbit = 100000000\n", NULL },
    { "publish = any;192.0.2.7:80;[2001:db8::7]:8000-8999;2001:db8::8;loopback:1-1023\n", NULL },
    { "publish =\ndns = 192.0.2.53;[2001:db8::53]:5353;2001:db8::54;127.0.0.53\n", NULL },
    { "mode = a/b\n", "file 'a.conf:2': [network] mode: must be a word" },
    { "mode = bridge\n", "file 'a.conf:2': [network] mode: 'bridge': no network of that kind" },
    { "mode = host\n", "file 'a.conf:2': [network] mode: 'host': no network of that kind" },
    { "egress = maybe\n", "[network] egress = maybe: must be yes or no" },
    { "egress_kbit = 100000001\n", "[network] egress_kbit = 100000001: must be a whole number" },
    { "\nallow = 10.0.0.1/8\n",
      "file 'a.conf:3': [network] allow: '10.0.0.1/8' has bits behind its prefix" },
    { "allow = 127.0.0.1\n", "'127.0.0.1' is never opened" },
    { "allow = 169.254.169.254:80\n", "'169.254.169.254:80' is never opened" },
    { "allow = fe80::/10\n", "'fe80::/10' is never opened" },
    { "allow = 224.0.0.1\n", "'224.0.0.1' is never opened" },
    { "allow = ::ffff:10.0.0.1\n", "'::ffff:10.0.0.1' is never opened" },
    { "deny = 127.0.0.1\n", NULL },
    { "deny = evil.org:80\n", "[network] deny: 'evil.org:80': a denied name is not resolved" },
    { "deny = evil.org/tcp\n", "[network] deny: 'evil.org/tcp': a denied name is not resolved" },
    { "allow = a.org;a.org\n", "[network] allow: 'a.org' stands there twice" },
    { "publish = everywhere\n", "[network] publish: 'everywhere' must be loopback, any" },
    { "publish = 192.0.2.7:0\n", "[network] publish: '192.0.2.7:0' must be" },
    { "publish = [192.0.2.7]:80\n", "[network] publish: '[192.0.2.7]:80' must be" },
    { "publish = [any]\n", "[network] publish: '[any]' must be" },
    { "publish = [\n", "[network] publish: '[' must be" },
    { "publish = any:\n", "[network] publish: 'any:' must be" },
    { "dns = example.org\n", "[network] dns: 'example.org' is no address" },
    { "dns = 192.0.2.53:53-54\n", "[network] dns: '192.0.2.53:53-54' has no port" },
    { "dns = 192.0.2.1;192.0.2.2;192.0.2.3;192.0.2.4;192.0.2.5\n",
      "[network] dns: has more than 4 servers" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (slips); i++)
    {
      g_auto (DnNetworkPolicy) policy = { 0 };
      g_autoptr (GError) error = NULL;
      gboolean is_fine = read_policy (slips[i].text, &policy, &error);

      if (slips[i].message == NULL)
        g_assert_no_error (error);
      else if (is_fine || strstr (error->message, slips[i].message) == NULL)
        g_test_fail_printf ("%s: %s", slips[i].text, is_fine ? "taken" : error->message);
    }
}

static void
test_rules_are_bounded (void)
{
  g_autoptr (GString) text = g_string_new ("deny = ");
  g_auto (DnNetworkPolicy) policy = { 0 }, more = { 0 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < DN_NETWORK_RULES_MAX; i++)
    g_string_append_printf (text, "10.0.%u.0/24;", i);
  g_assert_true (read_policy (text->str, &policy, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (policy.deny_rules->len, ==, DN_NETWORK_RULES_MAX);
  g_string_append (text, "10.1.0.0/24");
  g_assert_false (read_policy (text->str, &more, &error));
  g_assert_nonnull (strstr (error->message, "[network] deny: has more than 256 entries"));
}

static void
test_names_with_the_same_ports_share_a_list (void)
{
  static const guint expected[] = { 1, 0, 2, 1, 3, 4 };
  g_autoptr (GString) text = g_string_new ("allow = ");
  g_auto (DnNetworkPolicy) policy = { 0 }, more = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_true (read_policy (
      "allow = a.org:443;8.8.8.8:443;b.org:443/tcp;*.c.org:443;d.org;*:80\n", &policy, &error));
  for (guint i = 0; i < policy.allow_rules->len; i++)
    g_assert_cmpuint (g_array_index (policy.allow_rules, DnNetworkRule, i).list, ==, expected[i]);
  for (guint i = 0; i <= DN_NETWORK_LISTS_MAX; i++)
    g_string_append_printf (text, "a.org:%u;", i + 1);
  g_assert_false (read_policy (text->str, &more, &error));
  g_assert_nonnull (strstr (error->message, "names with more than 16 different ports"));
}

static void
test_a_mode_says_what_a_guest_has (void)
{
  static const struct
  {
    const char *text;
    gboolean has_card, has_names, has_egress;
    const char *network;
  } cases[] = {
    { "", FALSE, FALSE, FALSE, NULL },
    { "egress = yes\n", FALSE, FALSE, FALSE, NULL },
    { "mode = internal\n", TRUE, FALSE, FALSE, NULL },
    { "mode = egress\n", TRUE, TRUE, TRUE, NULL },
    { "mode = backend\n", TRUE, TRUE, FALSE, "acme/backend" },
    { "mode = backend\negress = yes\n", TRUE, TRUE, TRUE, "acme/backend" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (DnNetworkPolicy) policy = { 0 };
      g_autofree char *network = NULL, *own = NULL;

      g_assert_true (read_policy (cases[i].text, &policy, NULL));
      g_assert_cmpint (dn_network_policy_has_card (&policy), ==, cases[i].has_card);
      g_assert_cmpint (dn_network_policy_has_names (&policy), ==, cases[i].has_names);
      g_assert_cmpint (dn_network_policy_has_egress (&policy), ==, cases[i].has_egress);
      network = dn_network_policy_network (&policy, "acme", 1000);
      g_assert_cmpstr (network, ==, cases[i].network);
      own = dn_network_policy_network (&policy, "none", 1000);
      g_assert_cmpstr (own, ==, network != NULL ? "uid:1000/backend" : NULL);
    }
}

static void
test_ports_are_published_where_it_is_permitted (void)
{
  static const struct
  {
    const char *publish;
    const char *end;
    gboolean is_permitted;
  } cases[] = {
    { "loopback", "127.0.0.1:8080", TRUE },
    { "loopback", "127.9.9.9:1024", TRUE },
    { "loopback", "[::1]:8080", TRUE },
    { "loopback", "127.0.0.1:1023", FALSE },
    { "loopback", "0.0.0.0:8080", FALSE },
    { "loopback", "[::]:8080", FALSE },
    { "loopback", "192.0.2.7:8080", FALSE },
    { "loopback:53", "127.0.0.1:53", TRUE },
    { "loopback:53", "127.0.0.1:8080", FALSE },
    { "any", "0.0.0.0:8080", TRUE },
    { "any", "[2001:db8::7]:8080", TRUE },
    { "any", "0.0.0.0:80", FALSE },
    { "any:80-443", "0.0.0.0:443", TRUE },
    { "192.0.2.7", "192.0.2.7:8080", TRUE },
    { "192.0.2.7", "192.0.2.8:8080", FALSE },
    { "192.0.2.7", "0.0.0.0:8080", FALSE },
    { "[2001:db8::7]:80", "[2001:db8::7]:80", TRUE },
    { "", "127.0.0.1:8080", FALSE },
    { "192.0.2.7;loopback", "127.0.0.1:8080", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf ("publish = %s\n", cases[i].publish);
      g_auto (DnNetworkPolicy) policy = { 0 };
      DnNetworkEnd end;

      g_assert_true (read_policy (text, &policy, NULL));
      g_assert_cmpstr (dn_network_end_parse (cases[i].end, 0, &end), ==, NULL);
      if (dn_network_policy_may_publish (&policy, end.family, end.address,
                                         (DnPortRange){ end.port, end.port })
          != cases[i].is_permitted)
        g_test_fail_printf ("publish = %s, %s", cases[i].publish, cases[i].end);
    }
}

static void
test_a_policy_comes_back_from_json_as_it_was (void)
{
  g_auto (DnNetworkPolicy) policy = { 0 }, copy = { 0 }, back = { 0 }, wrong = { 0 };
  g_autoptr (JsonObject) object = NULL, again = NULL;
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT),
                       node_again = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL, *text_again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (read_policy ("mode = backend\negress = yes\nallow = *.debian.org:443;10.0.0.0/8\n"
                              "deny = evil.org\negress_kbit = 5\npublish = any\ndns = 8.8.8.8\n",
                              &policy, &error));
  dn_network_policy_copy (&policy, &copy);
  object = dn_network_policy_to_json (&copy);
  dn_network_policy_init (&back);
  g_assert_true (dn_network_policy_read_json (&back, object, "state", &error));
  g_assert_no_error (error);
  again = dn_network_policy_to_json (&back);
  json_node_set_object (node, object);
  json_node_set_object (node_again, again);
  text = dn_json_to_text (node, FALSE);
  text_again = dn_json_to_text (node_again, FALSE);
  g_assert_cmpstr (text, ==, text_again);
  g_assert_cmpuint (back.allow_rules->len, ==, 2);
  g_assert_true (dn_network_policy_lists_domains (&back));
  g_assert_cmpuint (back.servers->len, ==, 1);
  json_object_set_string_member (object, "mode", "bridge");
  dn_network_policy_init (&wrong);
  g_assert_false (dn_network_policy_read_json (&wrong, object, "state", &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network-policy/rules-are-read-as-they-are-written",
                   test_rules_are_read_as_they_are_written);
  g_test_add_func ("/network-policy/names-of-rules-match-as-they-should",
                   test_names_of_rules_match_as_they_should);
  g_test_add_func ("/network-policy/only-an-explicit-block-opens-what-is-private",
                   test_only_an_explicit_block_opens_what_is_private);
  g_test_add_func ("/network-policy/what-is-wrong-is-named-with-its-line",
                   test_what_is_wrong_is_named_with_its_line);
  g_test_add_func ("/network-policy/rules-are-bounded", test_rules_are_bounded);
  g_test_add_func ("/network-policy/names-with-the-same-ports-share-a-list",
                   test_names_with_the_same_ports_share_a_list);
  g_test_add_func ("/network-policy/a-mode-says-what-a-guest-has",
                   test_a_mode_says_what_a_guest_has);
  g_test_add_func ("/network-policy/ports-are-published-where-it-is-permitted",
                   test_ports_are_published_where_it_is_permitted);
  g_test_add_func ("/network-policy/a-policy-comes-back-from-json-as-it-was",
                   test_a_policy_comes_back_from_json_as_it_was);
  return g_test_run ();
}
