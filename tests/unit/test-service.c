/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/confine.c launcher/daemon/confine-filter.c launcher/common/error.c */
/* Packages: libseccomp libcap-ng */
/* What confines danchid from outside, as it is shipped: the systemd unit, the AppArmor profiles.
 * Read by the programs that will read them, which need neither a running systemd nor a kernel with
 * AppArmor for that. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "../../launcher/daemon/confine.h"

/* systemd's own measure in tenths: 0 is nothing exposed, 100 all. */
#define EXPOSURE_MAX "30"

static char *directory;

/* The file as install.sh would write it, in a directory of the test's own. */
static char *
install (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  char *to = g_build_filename (directory, name, NULL);
  GString *installed;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (text, "@PREFIX@"));
  installed = g_string_new (text);
  g_string_replace (installed, "@PREFIX@", "/usr", 0);
  g_file_set_contents (to, installed->str, -1, &error);
  g_assert_no_error (error);
  g_string_free (installed, TRUE);
  return to;
}

/* Exit status 0, or the test fails with what the program said. */
static void
assert_runs (const char *const *argv)
{
  g_autofree char *output = NULL, *errors = NULL, *program = g_find_program_in_path (argv[0]);
  g_autoptr (GError) error = NULL;
  int status;

  if (program == NULL)
    {
      g_test_skip_printf ("there is no %s", argv[0]);
      return;
    }
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &errors,
                &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, NULL))
    g_test_message ("%s\n%s", output, errors);
  g_assert_cmpint (status, ==, 0);
}

static void
test_systemd_finds_little_exposed (void)
{
  g_autofree char *unit = install ("config/systemd/danchid.service");
  const char *const argv[] = { "systemd-analyze",
                               "security",
                               "--offline=yes",
                               "--no-pager",
                               "--threshold=" EXPOSURE_MAX,
                               unit,
                               NULL };

  assert_runs (argv);
  (void) g_unlink (unit);
}

/* It keeps a right over the host's network, which is most of what is counted. */
static void
test_systemd_finds_no_more_of_the_gateway_exposed_than_its_task (void)
{
  g_autofree char *unit = install ("config/systemd/danchi-gateway.service");
  const char *const argv[] = {
    "systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=44", unit, NULL
  };

  assert_runs (argv);
  (void) g_unlink (unit);
}

/* The measure above says nothing when somebody widens both: this names the line. */
static void
test_the_unit_keeps_the_capabilities_that_danchid_keeps (void)
{
  static const char *const names[]
      = { "chown",     "dac_override",  "dac_read_search", "fowner",     "fsetid",
          "kill",      "setgid",        "setuid",          "setpcap",    "linux_immutable",
          "net_bind",  "net_broadcast", "net_admin",       "net_raw",    "ipc_lock",
          "ipc_owner", "sys_module",    "sys_rawio",       "sys_chroot", "sys_ptrace",
          "sys_pacct", "sys_admin" };
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint64 found = 0;

  g_assert_true (g_file_get_contents ("config/systemd/danchid.service", &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) words = NULL;

      if (!g_str_has_prefix (*line, "CapabilityBoundingSet="))
        continue;
      words = g_strsplit (strchr (*line, '=') + 1, " ", -1);
      for (char **word = words; *word != NULL; word++)
        {
          g_autofree char *name = g_ascii_strdown (*word + strlen ("CAP_"), -1);
          guint bit = 0;

          while (bit < G_N_ELEMENTS (names) && !g_str_equal (names[bit], name))
            bit++;
          g_assert_cmpuint (bit, <, G_N_ELEMENTS (names));
          found |= G_GUINT64_CONSTANT (1) << bit;
        }
    }
  g_assert_cmphex (found, ==, dn_confine_capabilities ());
}

static void
test_apparmor_accepts_the_profiles (void)
{
  static const char *const profiles[]
      = { "config/apparmor/danchid", "config/apparmor/danchi-relay",
          "config/apparmor/danchi-resolver", "config/apparmor/danchi-publish" };

  for (gsize i = 0; i < G_N_ELEMENTS (profiles); i++)
    {
      g_autofree char *profile = install (profiles[i]);
      /* Parsed and compiled; neither loaded into a kernel nor kept. */
      const char *const argv[] = { "/usr/sbin/apparmor_parser", "-QTK", profile, NULL };

      assert_runs (argv);
      (void) g_unlink (profile);
    }
}

static void
test_apparmor_refuses_a_profile_with_a_mistake (void)
{
  g_autofree char *profile = install ("config/apparmor/danchid");
  const char *const argv[] = { "/usr/sbin/apparmor_parser", "-QTK", profile, NULL };
  g_autofree char *text = NULL, *program = g_find_program_in_path (argv[0]);
  g_autofree char *output = NULL, *errors = NULL;
  int status;

  if (program == NULL)
    {
      g_test_skip ("there is no apparmor_parser");
      return;
    }
  /* So that the test above is known to be able to fail. */
  g_assert_true (g_file_get_contents (profile, &text, NULL, NULL));
  *strstr (text, "capability chown") = 'k';
  g_assert_true (g_file_set_contents (profile, text, -1, NULL));
  g_assert_true (
      g_spawn_sync (NULL, (char **) argv, NULL, 0, NULL, NULL, &output, &errors, &status, NULL));
  g_assert_cmpint (status, !=, 0);
  (void) g_unlink (profile);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  directory = g_dir_make_tmp ("danchi-service-XXXXXX", NULL);
  g_assert_nonnull (directory);
  g_test_add_func ("/service/systemd-finds-little-exposed", test_systemd_finds_little_exposed);
  g_test_add_func ("/service/systemd finds no more of the gateway exposed than its task",
                   test_systemd_finds_no_more_of_the_gateway_exposed_than_its_task);
  g_test_add_func ("/service/the-unit-keeps-the-capabilities-that-danchid-keeps",
                   test_the_unit_keeps_the_capabilities_that_danchid_keeps);
  g_test_add_func ("/service/apparmor-accepts-the-profiles", test_apparmor_accepts_the_profiles);
  g_test_add_func ("/service/apparmor-refuses-a-profile-with-a-mistake",
                   test_apparmor_refuses_a_profile_with_a_mistake);
  result = g_test_run ();
  (void) g_rmdir (directory);
  g_free (directory);
  return result;
}
