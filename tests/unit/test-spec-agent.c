/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/config*.c guest-agent/agent/json.c guest-agent/agent/fault.c */
/* Packages: jansson */

/* Host and agent agree: every document that tests/golden/spec/ holds is one that the agent takes,
 * and means to it what the host meant. */
#include <glib.h>
#include <string.h>

#include "../../guest-agent/agent/config.h"
#include "../../protocol/protocol.h"

#define DIRECTORY "tests/golden/spec/"

#define STANDARD 0x4eb /* CHOWN DAC_OVERRIDE FOWNER KILL SETGID SETUID NET_BIND_SERVICE */
#define NET_RAW (1 << 13)

/* Numbers of the kernel's for what the host wrote as words; none where the case asks for none. */
static const struct
{
  const char *file;
  DnCapabilities sets; /* inheritable, permitted, effective, bounding, ambient */
} capable[] = {
  { "standard-as-root.json", { 0, STANDARD, STANDARD, STANDARD, 0 } },
  { "standard-read-only-without-some.json",
    { 0, STANDARD & ~0x21, STANDARD & ~0x21, STANDARD & ~0x21, 0 } },
  { "exec-in-standard.json", { 0, STANDARD, STANDARD, STANDARD, 0 } },
  { "exec-with-fewer-capabilities.json", { 0, 0x21, 0x21, 0x21, 0 } },
  { "a-capability-for-any-user.json", { NET_RAW, NET_RAW, NET_RAW, NET_RAW, NET_RAW } },
};

static void
check_process (const char *file, const DnProcessConfig *process)
{
  DnCapabilities wanted = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (capable); i++)
    if (g_str_equal (capable[i].file, file))
      wanted = capable[i].sets;
  g_assert_cmpmem (&process->capabilities, sizeof wanted, &wanted, sizeof wanted);
  g_assert_true (process->limits[RLIMIT_CORE].is_set);
  g_assert_cmpuint (process->limits[RLIMIT_CORE].limit.rlim_max, ==, 0);
  g_assert_cmpuint (process->args.count, >, 0);
}

static void
check_container (const char *file, const DnConfig *config)
{
  check_process (file, &config->process);
  g_assert_cmpuint (config->first_uid, ==, 165536);
  g_assert_cmpuint (config->id_count, ==, 65536);
  /* Six of the kernel's, and /dev/shm at least. */
  g_assert_cmpuint (config->mount_count, >=, 7);
  g_assert_cmpuint (config->masked_paths.count, ==, 15);
  g_assert_cmpuint (config->readonly_paths.count, ==, 5);
  g_assert_cmpuint (config->resources.pids, !=, 0);
}

static void
test_takes (gconstpointer data)
{
  const char *file = data;
  g_autofree char *path = g_strconcat (DIRECTORY, file, NULL);
  g_autofree char *text = NULL;
  gboolean is_exec = g_str_has_prefix (file, "exec-");
  DnConfig config;
  DnFault fault = { 0 };
  gsize size;
  int code;

  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  code = is_exec ? dn_config_read_process (text, size, &config, &fault)
                 : dn_config_read (text, size, &config, &fault);
  if (code < 0)
    g_test_fail_printf ("%s: %s", file, fault.message);
  else if (is_exec)
    check_process (file, &config.process);
  else
    check_container (file, &config);
  dn_config_clear (&config);
}

/* Lifted limits and users by name, which are the words most easily misread. */
static void
test_means_the_same (void)
{
  g_autofree char *lifted = NULL, *plain = NULL;
  DnConfig config;
  DnFault fault = { 0 };

  g_assert_true (g_file_get_contents (DIRECTORY "limits-lifted.json", &lifted, NULL, NULL));
  g_assert_cmpint (dn_config_read (lifted, strlen (lifted), &config, &fault), ==, 0);
  g_assert_cmpuint (config.resources.memory_bytes, ==, DN_LIMIT_NONE);
  g_assert_cmpuint (config.resources.pids, ==, DN_LIMIT_NONE);
  g_assert_cmpstr (config.process.user, ==, "www-data");
  g_assert_true (config.is_root_readonly);
  dn_config_clear (&config);
  g_assert_true (g_file_get_contents (DIRECTORY "everything.json", &plain, NULL, NULL));
  g_assert_cmpint (dn_config_read (plain, strlen (plain), &config, &fault), ==, 0);
  g_assert_null (config.process.user);
  g_assert_cmpuint (config.process.uid, ==, 1000);
  g_assert_cmpuint (config.process.limits[RLIMIT_STACK].limit.rlim_max, ==, RLIM_INFINITY);
  g_assert_cmpuint (config.resources.cpu_quota_us, ==, 150000);
  g_assert_false (config.is_root_readonly);
  dn_config_clear (&config);
}

int
main (int argc, char **argv)
{
  g_autoptr (GDir) directory = NULL;
  const char *file;

  g_test_init (&argc, &argv, NULL);
  directory = g_dir_open (DIRECTORY, 0, NULL);
  g_assert_nonnull (directory);
  while ((file = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (file, ".json") && !g_str_has_suffix (file, ".in.json"))
      {
        g_autofree char *path = g_strconcat ("/spec-agent/takes/", file, NULL);

        g_test_add_data_func_full (path, g_strdup (file), test_takes, g_free);
      }
  g_test_add_func ("/spec-agent/means-the-same", test_means_the_same);
  return g_test_run ();
}
