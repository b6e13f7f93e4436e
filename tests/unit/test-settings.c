/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/settings.c launcher/daemon/context-definition.c
 * launcher/daemon/host-access.c launcher/spec/access.c
 * launcher/common/key-*.c launcher/common/names.c launcher/common/error.c
 * launcher/common/paths.c launcher/spec/policy.c launcher/spec/profile.c
 * launcher/spec/capability.c launcher/spec/tmpfs.c launcher/spec/quantity.c */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/daemon/context-definition.h"
#include "../../launcher/daemon/settings.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)

static char *
source_file (const char *name)
{
  const char *top = g_getenv ("DN_TOP");

  return g_build_filename (top != NULL ? top : ".", name, NULL);
}

/* The lists; the limits are compared with the rest. */
static void
assert_same_access (const DnHostAccess *first, const DnHostAccess *second)
{
  g_assert_cmpstr (first->socket_group, ==, second->socket_group);
  g_assert_cmpstrv (first->ephemeral_users, second->ephemeral_users);
  g_assert_cmpstrv (first->ephemeral_groups, second->ephemeral_groups);
  g_assert_cmpstrv (first->load_users, second->load_users);
  g_assert_cmpstrv (first->load_groups, second->load_groups);
}

static void
test_the_file_we_ship_says_what_is_built_in (void)
{
  g_autofree char *path = source_file ("config/danchi.conf");
  g_autofree char *text = NULL, *first = NULL, *second = NULL;
  g_autoptr (GError) error = NULL;
  DnSettings built_in, shipped;
  gsize size;

  dn_settings_init (&built_in);
  if (!g_file_get_contents (path, &text, &size, NULL))
    g_error ("%s: run the tests from the top of the tree", path);
  /* Every key of it is shown as a comment with its built-in value: without the marks it has to
   * parse and change nothing. */
  for (char *at = text; (at = strstr (at, "\n#")) != NULL; at++)
    if (at[2] != ' ' && at[2] != '\0' && at[2] != '\n')
      at[1] = ' ';
  dn_settings_init (&shipped);
  g_assert_true (dn_settings_parse (&shipped, text, size, "danchi.conf", &error));
  g_assert_no_error (error);
  first = dn_policy_print (&built_in.policy);
  second = dn_policy_print (&shipped.policy);
  g_assert_cmpstr (first, ==, second);
  dn_policy_clear (&built_in.policy);
  dn_policy_clear (&shipped.policy);
  built_in.policy = shipped.policy = (DnPolicy){ NULL };
  assert_same_access (&built_in.access, &shipped.access);
  dn_host_access_clear (&built_in.access);
  dn_host_access_clear (&shipped.access);
  g_assert_cmpmem (&built_in, sizeof built_in, &shipped, sizeof shipped);
}

static void
test_settings_have_limits (void)
{
  const char *text = "[guest]\nmemory_mib = 1\n";
  g_autoptr (GError) error = NULL;
  DnSettings settings;

  dn_settings_init (&settings);
  g_assert_false (dn_settings_parse (&settings, text, strlen (text), "danchi.conf", &error));
  dn_settings_clear (&settings);
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "[guest] memory_mib = 1"));
}

static void
test_a_context_is_read_as_it_is_written (void)
{
  DnSettings settings;
  DnContextDefinition first, second;
  g_autofree char *text = NULL, *again = NULL;
  const char *file = "[context]\ntenant=acme\nstage=prod\ntier=db\n"
                     "[guest]\nmemory_mib=512\nvcpus=2\ntransport=serial\nallow_emulation=yes\n"
                     "[confinement]\nprofiles=strict\ncapabilities=NET_RAW;IPC_LOCK\n"
                     "seccomp=relaxed\nprofile_files=yes\n";

  dn_settings_init (&settings);
  dn_context_definition_init (&first, &settings);
  dn_context_definition_init (&second, &settings);
  g_assert_true (dn_context_definition_parse (&first, file, strlen (file), "acme.conf", NULL));
  g_assert_cmpstr (first.tenant, ==, "acme");
  g_assert_cmpstr (first.stage, ==, "prod");
  g_assert_cmpstr (first.tier, ==, "db");
  g_assert_cmpuint (first.guest_memory_bytes, ==, 512 * MIB);
  g_assert_cmpuint (first.guest_vcpus, ==, 2);
  g_assert_cmpint (first.transport, ==, DN_TRANSPORT_SERIAL);
  g_assert_true (first.allow_emulation);
  g_assert_cmpuint (g_strv_length (first.policy.profiles), ==, 1);
  g_assert_cmpstr (first.policy.capabilities[1], ==, "IPC_LOCK");
  g_assert_cmpint (first.policy.seccomp, ==, DN_SECCOMP_RELAXED);
  g_assert_true (first.policy.profile_files);
  text = dn_context_definition_print (&first);
  g_assert_true (dn_context_definition_parse (&second, text, strlen (text), "acme.conf", NULL));
  again = dn_context_definition_print (&second);
  g_assert_cmpstr (text, ==, again);
  dn_context_definition_clear (&first);
  dn_context_definition_clear (&second);
  dn_settings_clear (&settings);
}

static void
test_a_context_takes_the_hosts_settings_where_it_says_nothing (void)
{
  DnSettings settings;
  DnContextDefinition definition;

  dn_settings_init (&settings);
  settings.guest_memory_bytes = 300 * MIB;
  dn_context_definition_init (&definition, &settings);
  g_assert_true (dn_context_definition_parse (&definition, "", 0, "x.conf", NULL));
  g_assert_cmpuint (definition.guest_memory_bytes, ==, 300 * MIB);
  g_assert_cmpstr (definition.tenant, ==, "none");
  g_assert_false (definition.allow_emulation);
  dn_context_definition_clear (&definition);
  dn_settings_clear (&settings);
}

static void
test_a_pair_of_categories_is_read_strictly (void)
{
  static const char *const good[] = { "c0,c1", "c17,c902", "c9,c10", "c1022,c1023" };
  static const char *const bad[] = { "",
                                     "c1",
                                     "c1,",
                                     ",c1",
                                     "c2,c1",
                                     "c1,c1",
                                     "c01,c2",
                                     "c1,c02",
                                     "c1,c1024",
                                     "c1, c2",
                                     "c1,c2,c3",
                                     "c1.c2",
                                     "1,2",
                                     "C1,C2",
                                     "c-1,c2",
                                     "c+1,c2",
                                     "c1,c2 ",
                                     "s0:c1,c2",
                                     "c1,c18446744073709551618" };
  static const char file[] = "[guest]\nmcs = c17,c902\n";
  static const char two[] = "[guest]\nmcs = c1,c2;c3,c4\n";
  DnSettings settings;
  DnContextDefinition definition;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (dn_mcs_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (dn_mcs_is_valid (bad[i]));
  dn_settings_init (&settings);
  dn_context_definition_init (&definition, &settings);
  g_assert_null (dn_context_definition_mcs (&definition));
  g_assert_true (dn_context_definition_parse (&definition, file, strlen (file), "x.conf", NULL));
  g_assert_cmpstr (dn_context_definition_mcs (&definition), ==, "c17,c902");
  g_assert_false (dn_context_definition_parse (&definition, two, strlen (two), "x.conf", &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "[guest] mcs"));
  dn_context_definition_clear (&definition);
  dn_settings_clear (&settings);
}

static void
test_groups_that_are_not_built_yet_are_refused_in_a_context (void)
{
  const char *file = "[network]\nmode = egress\n";
  DnSettings settings;
  DnContextDefinition definition;
  g_autoptr (GError) error = NULL;

  dn_settings_init (&settings);
  dn_context_definition_init (&definition, &settings);
  g_assert_false (dn_context_definition_parse (&definition, file, strlen (file), "x.conf", &error));
  g_assert_cmpstr (error->message, ==, "file 'x.conf:1': [network]: unknown group");
  dn_context_definition_clear (&definition);
  dn_settings_clear (&settings);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settings/the-file-we-ship-says-what-is-built-in",
                   test_the_file_we_ship_says_what_is_built_in);
  g_test_add_func ("/settings/settings-have-limits", test_settings_have_limits);
  g_test_add_func ("/settings/a-context-is-read-as-it-is-written",
                   test_a_context_is_read_as_it_is_written);
  g_test_add_func ("/settings/a-context-takes-the-hosts-settings-where-it-says-nothing",
                   test_a_context_takes_the_hosts_settings_where_it_says_nothing);
  g_test_add_func ("/settings/a-pair-of-categories-is-read-strictly",
                   test_a_pair_of_categories_is_read_strictly);
  g_test_add_func ("/settings/groups-that-are-not-built-yet-are-refused-in-a-context",
                   test_groups_that_are_not_built_yet_are_refused_in_a_context);
  return g_test_run ();
}
