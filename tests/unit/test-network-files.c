/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/network/network-files.c launcher/network/registry.c launcher/network/plan.c
   launcher/spec/network-*.c launcher/spec/port-spec.c launcher/base/network-rule.c
   launcher/base/public-address.c launcher/common/[ej]*.c launcher/common/key-*.c
   launcher/common/names.c protocol/*.c */
/* What a container finds in /etc, which ports it exposes, and what is no name or server; and who is
 * in a network. */
#include <arpa/inet.h>
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/network/network-files.h"
#include "../../launcher/spec/network-options.h"

static DnNetworkMember *
make_member (const char *container, const char *name, guint slot)
{
  DnNetworkMember *member = g_new0 (DnNetworkMember, 1);
  DnNetworkPool pool;

  g_assert_cmpint (dn_network_pool_parse (NULL, "fd12:3456:789a::/48", &pool), ==, 0);
  g_assert_cmpint (dn_network_plan_make (&pool, 0, &member->plan), ==, 0);
  g_assert_cmpint (
      dn_network_plan_container (&member->plan, slot, &member->address4, &member->address6), ==, 0);
  member->ref_count = 1;
  g_strlcpy (member->container, container, sizeof member->container);
  member->name = g_strdup (name);
  member->context = g_strdup ("acme-web");
  member->mode = g_strdup ("egress");
  member->slot = slot;
  return member;
}

static void
test_hosts_have_all_that_it_knows_by_name (void)
{
  g_autoptr (DnNetworkMember) own = make_member ("aa", "web", 0);
  g_autoptr (DnNetworkMember) other = make_member ("bb", "db", 1);
  g_autoptr (GPtrArray) others = g_ptr_array_new ();
  char *extra[] = { (char *) "legacy:192.0.2.7", (char *) "six:2001:db8::7", NULL };
  g_autofree char *text = NULL, *alone = NULL;

  other->hostname = g_strdup ("database");
  g_ptr_array_add (others, own);
  g_ptr_array_add (others, other);
  text = dn_network_hosts ("0123456789ab", "web", extra, own, others);
  g_assert_cmpstr (text, ==,
                   "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
                   "192.0.2.7\tlegacy\n2001:db8::7\tsix\n"
                   "10.217.0.10\t0123456789ab web\nfd12:3456:789a::10\t0123456789ab web\n"
                   "10.217.0.11\tdb database\nfd12:3456:789a::11\tdb database\n");
  alone = dn_network_hosts ("web", "web", NULL, NULL, NULL);
  g_assert_cmpstr (alone, ==,
                   "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
                   "127.0.0.1\tweb\n");
}

static void
test_hosts_never_grow_beyond_what_a_guest_takes (void)
{
  g_autoptr (DnNetworkMember) own = make_member ("aa", "web", 0);
  g_autoptr (GPtrArray) others
      = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_network_member_unref);
  g_autofree char *text = NULL;

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *id = g_strdup_printf ("b%u", i);
      g_autofree char *name = g_strnfill (60, 'n');

      g_ptr_array_add (others, make_member (id, name, 1 + i % 63));
    }
  text = dn_network_hosts ("web", "web", NULL, own, others);
  g_assert_cmpuint (strlen (text), <=, DN_CARD_FILE_BYTES);
  g_assert_cmpuint (strlen (text), >, DN_CARD_FILE_BYTES - 200);
  g_assert_true (g_str_has_suffix (text, "n\n"));
}

static void
test_resolv_conf_names_the_resolver_or_what_was_asked_for (void)
{
  g_autoptr (DnNetworkMember) own = make_member ("aa", "web", 0);
  char *dns[] = { (char *) "192.0.2.53", NULL };
  char *search[] = { (char *) "example.com", (char *) "example.org", NULL };
  char *none[] = { (char *) ".", NULL };
  const struct
  {
    DnContainerOptions options;
    gboolean has_resolver;
    const char *text;
  } cases[] = {
    { { 0 }, TRUE, "nameserver 10.217.0.1\nnameserver fd12:3456:789a::1\n" },
    { { 0 }, FALSE, "# none\n" },
    { { .dns = dns }, TRUE, "nameserver 192.0.2.53\n" },
    { { .dns_search = search }, FALSE, "search example.com example.org\n" },
    { { .dns_search = none }, FALSE, "# none\n" },
    { { .dns = dns, .dns_search = search },
      TRUE,
      "nameserver 192.0.2.53\nsearch example.com example.org\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text
          = dn_network_resolv_conf (&cases[i].options, own, cases[i].has_resolver);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

static void
test_what_is_exposed_comes_to_few_ranges (void)
{
  char *image[] = { (char *) "8080/tcp", (char *) "53/udp", (char *) "junk",
                    (char *) "9/sctp",   (char *) "8080",   NULL };
  char *expose[] = { (char *) "8081-8090", (char *) "53", NULL };
  char *publish[] = { (char *) "127.0.0.1:1000:8091", NULL };
  const DnContainerOptions options = { .expose = expose, .publish = publish };
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ports = dn_network_ports (image, &options, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < ports->len; i++)
    {
      g_autofree char *one = dn_network_port_format (&g_array_index (ports, DnCardPort, i));

      g_string_append_printf (text, "%s ", one);
    }
  g_assert_cmpstr (text->str, ==, "53/tcp 8080-8091/tcp 53/udp ");
}

static void
test_what_is_no_name_or_address_is_refused_by_name (void)
{
  char *const wrong_hosts[] = { (char *) "db",
                                (char *) "db:host",
                                (char *) ":192.0.2.7",
                                (char *) "a b:192.0.2.7",
                                (char *) "a\nb:192.0.2.7",
                                (char *) "db:192.0.2.7\n203.0.113.9 bank",
                                (char *) "db:host-gateway" };
  char *const wrong_domains[]
      = { (char *) "a b", (char *) "a\nnameserver 203.0.113.9", (char *) "" };

  for (guint i = 0; i < G_N_ELEMENTS (wrong_hosts); i++)
    {
      char *hosts[] = { wrong_hosts[i], NULL };
      const DnContainerOptions options = { .add_hosts = hosts };
      g_autoptr (GError) error = NULL;

      g_assert_false (dn_network_options_check (&options, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
      g_assert_true (g_str_has_prefix (error->message, "--add-host '"));
    }
  for (guint i = 0; i < G_N_ELEMENTS (wrong_domains); i++)
    {
      char *domains[] = { wrong_domains[i], NULL };
      const DnContainerOptions options = { .dns_search = domains };
      g_autoptr (GError) error = NULL;

      g_assert_false (dn_network_options_check (&options, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
    }
}

static gboolean
asks (const char *server, const char *mode, const char *allow, const char *deny)
{
  g_auto (DnNetworkPolicy) policy = { 0 };
  char *dns[] = { (char *) server, NULL };
  g_autoptr (GError) error = NULL;
  gboolean is_fine;

  dn_network_policy_init (&policy);
  dn_network_policy_set_mode (&policy, mode);
  g_strfreev (policy.allow);
  policy.allow = g_strsplit (allow, ";", -1);
  g_strfreev (policy.deny);
  policy.deny = g_strsplit (deny, ";", -1);
  g_assert_true (dn_network_policy_check (&policy, "test", NULL, &error));
  g_assert_no_error (error);
  is_fine = dn_network_dns_check (dns, &policy, "acme-web", &error);
  if (!is_fine)
    g_assert_error (error, DN_ERROR, DN_ERROR_DENIED);
  return is_fine;
}

static void
test_a_server_of_names_must_be_one_that_the_context_reaches (void)
{
  g_assert_true (asks ("9.9.9.9", "egress", "", ""));
  g_assert_true (asks ("2620:fe::fe", "egress", "", ""));
  g_assert_false (asks ("9.9.9.9", "none", "", ""));
  g_assert_false (asks ("9.9.9.9", "internal", "", ""));
  g_assert_false (asks ("9.9.9.9", "backend", "", "")); /* its members alone */
  g_assert_false (asks ("10.0.0.53", "egress", "", ""));
  g_assert_true (asks ("10.0.0.53", "egress", "10.0.0.53", ""));
  g_assert_true (asks ("10.0.0.53", "backend", "10.0.0.0/24:53", ""));
  g_assert_false (asks ("10.0.0.53", "egress", "10.0.0.53:853", ""));
  g_assert_false (asks ("9.9.9.9", "egress", "10.0.0.53", "")); /* that alone passes */
  g_assert_false (asks ("9.9.9.9", "egress", "", "9.9.9.0/24"));
  g_assert_false (asks ("169.254.169.254", "egress", "", ""));
}

static guint changes;
static gboolean last_is_there;

static void
count_change (DnNetworkRegistry *registry, const DnNetworkMember *member, gboolean is_there,
              gpointer data)
{
  g_autoptr (DnNetworkMember) found = dn_network_registry_find (registry, member->container);

  (void) data;
  changes++;
  last_is_there = is_there;
  g_assert_true ((found != NULL) == is_there);
}

static void
test_the_registry_knows_who_is_there (void)
{
  g_autoptr (DnNetworkRegistry) registry = dn_network_registry_new ();
  DnNetworkMember *web = make_member ("aa", "web", 3), *db = make_member ("bb", "db", 1);
  g_autoptr (GPtrArray) all = NULL, in_network = NULL, others = NULL;

  dn_network_registry_subscribe (registry, count_change, NULL);
  web->network = g_strdup ("acme/backend");
  g_strlcpy (web->guest, "11", sizeof web->guest);
  g_strlcpy (db->guest, "22", sizeof db->guest);
  dn_network_registry_put (registry, web);
  dn_network_registry_put (registry, db);
  g_assert_cmpuint (changes, ==, 2);
  all = dn_network_registry_list_context (registry, "acme-web");
  g_assert_cmpuint (all->len, ==, 2);
  g_assert_cmpstr (((DnNetworkMember *) all->pdata[0])->name, ==, "db");
  in_network = dn_network_registry_list_network (registry, "acme/backend");
  g_assert_cmpuint (in_network->len, ==, 1);
  others = dn_network_registry_list_network (registry, "globex/backend");
  g_assert_cmpuint (others->len, ==, 0);
  dn_network_registry_remove_guest (registry, "11");
  g_assert_cmpuint (changes, ==, 3);
  g_assert_false (last_is_there);
  dn_network_registry_remove (registry, "aa"); /* again */
  dn_network_registry_remove (registry, "bb");
  g_assert_cmpuint (changes, ==, 4);
}

static void
test_a_network_has_its_number_as_long_as_it_has_a_member (void)
{
  g_autoptr (DnNetworkRegistry) registry = dn_network_registry_new ();
  DnNetworkMember *web = make_member ("aa", "web", 0);
  guint32 first, second;

  web->network = g_strdup ("acme/backend");
  dn_network_registry_put (registry, web);
  first = dn_network_registry_number (registry, "acme/backend");
  g_assert_cmpuint (first, >, 0);
  second = dn_network_registry_hold (registry, "globex/backend", "guest-2");
  g_assert_cmpuint (second, !=, first);
  g_assert_cmpuint (dn_network_registry_number (registry, "acme/backend"), ==, first);
  dn_network_registry_remove (registry, "aa");
  g_assert_cmpuint (dn_network_registry_hold (registry, "acme/backend", "guest-1"), >, second);
  g_assert_cmpuint (dn_network_registry_number (registry, "globex/backend"), ==, second);
  dn_network_registry_release (registry, "guest-2");
  dn_network_registry_release (registry, "guest-2");
  g_assert_cmpuint (dn_network_registry_number (registry, "globex/backend"), !=, second);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/network-files/" #name, test_##name)
  TEST (hosts_have_all_that_it_knows_by_name);
  TEST (hosts_never_grow_beyond_what_a_guest_takes);
  TEST (resolv_conf_names_the_resolver_or_what_was_asked_for);
  TEST (what_is_exposed_comes_to_few_ranges);
  TEST (what_is_no_name_or_address_is_refused_by_name);
  TEST (a_server_of_names_must_be_one_that_the_context_reaches);
  TEST (the_registry_knows_who_is_there);
  TEST (a_network_has_its_number_as_long_as_it_has_a_member);
  return g_test_run ();
}
