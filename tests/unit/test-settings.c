/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/limits/guest-*.c launcher/daemon/scan-settings.c launcher/images/reference.c
 * launcher/pods/pod-settings.c
 * launcher/images/scan-disk.c launcher/daemon/settings.c launcher/network/plan.c
 * launcher/daemon/context-definition.c launcher/daemon/host-access.c launcher/spec/access.c
 * launcher/common/key-*.c launcher/common/names.c launcher/common/error.c
 * launcher/common/paths.c launcher/spec/policy.c launcher/spec/terms.c
 * launcher/spec/bind-policy.c launcher/spec/signing-key.c launcher/spec/placement.c
 * launcher/spec/reference-glob.c launcher/spec/profile.c launcher/spec/capability.c
 * launcher/spec/tmpfs.c launcher/spec/quantity.c launcher/spec/network-policy.c
 * launcher/base/network-rule.c launcher/base/public-address.c launcher/common/json.c */
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

/* All values of danchi.conf as one text. */
static char *
print_settings (DnSettings *settings)
{
  DnKey keys[DN_SETTINGS_KEYS + 1];
  g_autoptr (GString) text = g_string_new (NULL);

  dn_settings_fill_keys (settings, keys);
  for (const DnKey *key = keys; key->group != NULL; key++)
    {
      g_autofree char *value = dn_key_print (key);

      g_string_append_printf (text, "[%s] %s = %s\n", key->group, key->key, value);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_the_file_we_ship_shows_every_key_and_what_is_built_in (void)
{
  g_autofree char *path = source_file ("config/danchi.conf");
  g_autofree char *text = NULL, *first = NULL, *second = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (DnSettings) built_in = dn_settings_new ("x"), shipped = dn_settings_new (path);
  DnKey keys[DN_SETTINGS_KEYS + 1];
  gsize size;

  if (!g_file_get_contents (path, &text, &size, NULL))
    g_error ("%s: run the tests from the top of the tree", path);
  /* Every key of it is shown as a comment with its built-in value: without the marks it has to
   * parse and change nothing. */
  for (char *at = text; (at = strstr (at, "\n#")) != NULL; at++)
    if (at[2] != ' ' && at[2] != '\0' && at[2] != '\n')
      at[1] = ' ';
  g_assert_true (dn_settings_parse (shipped, text, size, &error));
  g_assert_no_error (error);
  first = print_settings (built_in);
  second = print_settings (shipped);
  g_assert_cmpstr (first, ==, second);
  dn_settings_fill_keys (shipped, keys);
  for (const DnKey *key = keys; key->group != NULL; key++)
    if (key->type != DN_KEY_PATH /* there is no text for none */
        && dn_key_places_find (shipped->places, key->group, key->key) == 0)
      g_test_fail_printf ("%s does not show [%s] %s", path, key->group, key->key);
}

typedef struct
{
  const char *text;
  const char *message; /* its end; NULL: nothing is wrong */
} Slip;

static void
test_what_is_wrong_in_settings_is_named_with_its_line (void)
{
  static const Slip slips[] = {
    { "[guest]\nmemory_mib = 1\n", "x.conf:2': [guest] memory_mib = 1: must be a whole number" },
    { "[host]\naccepts = stage:prod;tenant:acme\n", NULL },
    { "[host]\naccepts =\n", NULL },
    { "[host]\n\naccepts = stage=prod\n",
      "x.conf:3': [host] accepts: 'stage=prod': must be tenant:NAME, stage:NAME or tier:NAME" },
    { "[host]\naccepts = level:prod\n", "[host] accepts: 'level:prod': must be" },
    { "[host]\naccepts = stage:\n", "[host] accepts: 'stage:': must be" },
    { "[host]\naccepts = stage:*\n", "[host] accepts: 'stage:*': must be" },
    { "[images]\nallow =\n", "x.conf:2': [images] allow: names none" },
    { "[images]\ndigest = yes\n", "[images] digest = yes: must be one of optional, required" },
    { "[images]\nsignature = required\n", NULL },
    { "[images]\nsignature = acme;/etc/keys/ci.pub\n", NULL },
    { "[images]\nsignature =\n", "x.conf:2': [images] signature: names none" },
    { "[images]\nsignature = acme;required\n", "[images] signature: 'required' stands alone" },
    { "[images]\nsignature = keys/acme.gpg\n", "'keys/acme.gpg' is neither a key's name nor" },
    { "[images]\nscan = good\n", "[images] scan = good: must be one of optional, required, pass" },
    { "[images]\nload_keys = /etc/danchi/keys/a.gpg;/k/b.pub;/k/c.asc\n", NULL },
    { "[images]\nload_keys = a.gpg\n", "[images] load_keys: 'a.gpg' is not an absolute path" },
    { "[images]\nload_keys = /k/a.key\n", "[images] load_keys: '/k/a.key' ends neither with" },
    { "[images]\nload_keys = /k/a.gpg;/l/a.pub\n", "[images] load_keys: two keys are called 'a'" },
    { "[images]\nload_keys = /k/required.gpg\n", "'required' cannot be a key's name" },
    { "[network]\nmode = egress\n", NULL },
    { "[network]\nephemeral = none;*\n", NULL },
    { "[network]\nephemeral =\n", NULL },
    { "[network]\nmode = host\n", "x.conf:2': [network] mode: 'host': no network of that kind" },
    { "[network]\nephemeral = egress;bridge\n",
      "x.conf:2': [network] ephemeral: network 'bridge': no network of that kind" },
    { "[network]\nephemeral = a/b\n", "[network] ephemeral: network 'a/b': must be none" },
    { "[lifetime]\nidle_s = -1\n", "[lifetime] idle_s = -1: must be a whole number from 0 to" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (slips); i++)
    {
      g_autoptr (DnSettings) settings = dn_settings_new ("x.conf");
      g_autoptr (GError) error = NULL;
      gboolean is_fine
          = dn_settings_parse (settings, slips[i].text, strlen (slips[i].text), &error);

      if (slips[i].message == NULL)
        {
          g_assert_no_error (error);
          g_assert_true (is_fine);
          continue;
        }
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
      if (strstr (error->message, slips[i].message) == NULL)
        g_test_fail_printf ("%s: %s", slips[i].text, error->message);
    }
}

static void
test_what_is_wrong_in_a_context_is_named_with_its_line (void)
{
  static const Slip slips[] = {
    { "[network]\nmode = none\n", NULL },
    { "[network]\nmode = backend\nallow = *.debian.org:443\n", NULL },
    { "[network]\nallow = 10.0.0.1/8\n", "x.conf:2': [network] allow: '10.0.0.1/8' has bits" },
    { "[network]\nephemeral = none\n", "x.conf:2': [network] ephemeral: unknown key" },
    { "[host]\naccepts = stage:prod\n", "x.conf:1': [host]: unknown group" },
    { "[images]\nfiles_limit = 3\n", "x.conf:2': [images] files_limit: unknown key" },
    { "[images]\nallow = nginx:*;docker.io/library/**;**@sha256:*\n", NULL },
    { "[images]\nallow = nginx\n",
      "x.conf:2': [images] allow: 'nginx' names no tag; add :* for all of them" },
    { "[images]\nallow = a/b*;nginx:[a-z]\n",
      "[images] allow: 'nginx:[a-z]' has characters that no reference has" },
    { "[lifetime]\nidle_s = 10\nmaximum_s = 999999999999\n",
      "x.conf:3': [lifetime] maximum_s = 999999999999: must be a whole number from 0 to" },
    { "[confinement]\nprofiles = standard\n", "x.conf:2': [confinement] profiles: lacks 'strict'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (slips); i++)
    {
      g_autoptr (DnSettings) settings = dn_settings_new ("danchi.conf");
      DnContextDefinition definition;
      g_autoptr (GError) error = NULL;

      dn_context_definition_init (&definition, settings);
      (void) dn_context_definition_parse (&definition, slips[i].text, strlen (slips[i].text),
                                          "x.conf", &error);
      dn_context_definition_clear (&definition);
      if (slips[i].message == NULL)
        g_assert_no_error (error);
      else if (error == NULL || strstr (error->message, slips[i].message) == NULL)
        g_test_fail_printf ("%s: %s", slips[i].text, error != NULL ? error->message : "taken");
    }
}

static void
test_a_context_is_read_as_it_is_written (void)
{
  g_autoptr (DnSettings) settings = dn_settings_new ("danchi.conf");
  DnContextDefinition first, second;
  g_autofree char *text = NULL, *again = NULL;
  const char *file
      = "[context]\ntenant=acme\nstage=prod\ntier=db\n"
        "[guest]\nmemory_mib=512\nvcpus=2\ntransport=serial\nallow_emulation=yes\n"
        "[confinement]\nprofiles=strict\ncapabilities=NET_RAW;IPC_LOCK\n"
        "seccomp=relaxed\nprofile_files=yes\n"
        "[images]\nallow=nginx:*;**@sha256:*\ndigest=required\nsignature=acme;ci\nscan=pass\n"
        "[network]\nmode=none\n[lifetime]\nidle_s=60\nmaximum_s=3600\n";

  dn_context_definition_init (&first, settings);
  dn_context_definition_init (&second, settings);
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
  g_assert_cmpstr (first.terms.allow[1], ==, "**@sha256:*");
  g_assert_cmpint (first.terms.digest, ==, DN_NEED_REQUIRED);
  g_assert_cmpstr (first.terms.signature[1], ==, "ci");
  g_assert_cmpint (first.terms.scan, ==, DN_SCAN_NEED_PASS);
  g_assert_cmpuint (first.terms.idle_s, ==, 60);
  g_assert_cmpuint (first.terms.maximum_s, ==, 3600);
  text = dn_context_definition_print (&first);
  g_assert_true (dn_context_definition_parse (&second, text, strlen (text), "acme.conf", NULL));
  again = dn_context_definition_print (&second);
  g_assert_cmpstr (text, ==, again);
  dn_context_definition_clear (&first);
  dn_context_definition_clear (&second);
}

static void
test_a_context_takes_the_hosts_settings_where_it_says_nothing (void)
{
  const char *host
      = "[guest]\nmemory_mib = 300\n[images]\nallow = nginx:*\n[lifetime]\nidle_s = 9\n";
  g_autoptr (DnSettings) settings = dn_settings_new ("danchi.conf");
  DnContextDefinition definition;

  g_assert_true (dn_settings_parse (settings, host, strlen (host), NULL));
  dn_context_definition_init (&definition, settings);
  g_assert_true (dn_context_definition_parse (&definition, "", 0, "x.conf", NULL));
  g_assert_cmpuint (definition.guest_memory_bytes, ==, 300 * MIB);
  g_assert_cmpstr (definition.tenant, ==, "none");
  g_assert_false (definition.allow_emulation);
  g_assert_cmpstr (definition.terms.allow[0], ==, "nginx:*");
  g_assert_cmpuint (definition.terms.idle_s, ==, 9);
  dn_context_definition_clear (&definition);
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
  g_autoptr (DnSettings) settings = dn_settings_new ("danchi.conf");
  DnContextDefinition definition, second;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (dn_mcs_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (dn_mcs_is_valid (bad[i]));
  dn_context_definition_init (&definition, settings);
  dn_context_definition_init (&second, settings);
  g_assert_null (dn_context_definition_mcs (&definition));
  g_assert_true (dn_context_definition_parse (&definition, file, strlen (file), "x.conf", NULL));
  g_assert_cmpstr (dn_context_definition_mcs (&definition), ==, "c17,c902");
  g_assert_false (dn_context_definition_parse (&second, two, strlen (two), "x.conf", &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "[guest] mcs"));
  dn_context_definition_clear (&second);
  dn_context_definition_clear (&definition);
}

static void
test_the_policy_moves_without_the_guest (void)
{
  const char *old = "[guest]\nvcpus = 2\n[lifetime]\nidle_s = 5\n";
  const char *new = "[lifetime]\n\n\nidle_s = 7\n[guest]\nvcpus = 3\n";
  g_autoptr (DnSettings) settings = dn_settings_new ("danchi.conf");
  DnContextDefinition runs, fresh, copy;

  dn_context_definition_init (&runs, settings);
  dn_context_definition_init (&fresh, settings);
  g_assert_true (dn_context_definition_parse (&runs, old, strlen (old), "x.conf", NULL));
  g_assert_true (dn_context_definition_parse (&fresh, new, strlen (new), "x.conf", NULL));
  dn_context_definition_take_policy (&runs, &fresh);
  dn_context_definition_clear (&fresh);
  dn_context_definition_copy (&runs, &copy);
  dn_context_definition_clear (&runs);
  g_assert_cmpuint (copy.guest_vcpus, ==, 2);
  g_assert_cmpuint (copy.terms.idle_s, ==, 7);
  g_assert_cmpuint (dn_key_places_find (copy.guest_origin.places, "guest", "vcpus"), ==, 2);
  g_assert_cmpuint (dn_key_places_find (copy.origin.places, "lifetime", "idle_s"), ==, 4);
  dn_context_definition_clear (&copy);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settings/the-file-we-ship-shows-every-key-and-what-is-built-in",
                   test_the_file_we_ship_shows_every_key_and_what_is_built_in);
  g_test_add_func ("/settings/what-is-wrong-in-settings-is-named-with-its-line",
                   test_what_is_wrong_in_settings_is_named_with_its_line);
  g_test_add_func ("/settings/what-is-wrong-in-a-context-is-named-with-its-line",
                   test_what_is_wrong_in_a_context_is_named_with_its_line);
  g_test_add_func ("/settings/a-context-is-read-as-it-is-written",
                   test_a_context_is_read_as_it_is_written);
  g_test_add_func ("/settings/a-context-takes-the-hosts-settings-where-it-says-nothing",
                   test_a_context_takes_the_hosts_settings_where_it_says_nothing);
  g_test_add_func ("/settings/a-pair-of-categories-is-read-strictly",
                   test_a_pair_of_categories_is_read_strictly);
  g_test_add_func ("/settings/the-policy-moves-without-the-guest",
                   test_the_policy_moves_without_the_guest);
  return g_test_run ();
}
