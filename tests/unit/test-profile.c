/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/profile.c launcher/spec/profile-file.c launcher/spec/profile-table.c
   launcher/spec/capability.c launcher/spec/tmpfs.c launcher/spec/quantity.c launcher/spec/ulimit.c
   launcher/common/key-*.c launcher/common/names.c launcher/common/error.c */

/* Profiles as files: what ours say, and that no slip in one goes unnoticed. */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/spec/capability.h"
#include "../../launcher/spec/profile-file.h"

static char *
read_shipped (const char *name)
{
  g_autofree char *path = g_strdup_printf ("config/profiles/%s.conf", name);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static DnProfile *
load (const char *name)
{
  g_autofree char *text = read_shipped (name);
  g_autoptr (GError) error = NULL;
  DnProfile *profile = dn_profile_parse (text, strlen (text), name, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (profile->name, ==, name);
  return profile;
}

/* R3.5, R5.12 */
static void
test_strict_gives_nothing (void)
{
  g_autoptr (DnProfile) strict = load ("strict");

  g_assert_cmphex (strict->capabilities, ==, 0);
  g_assert_cmpint (strict->seccomp, ==, DN_SECCOMP_DEFAULT);
  g_assert_cmpint (strict->root, ==, 0);
  g_assert_cmpuint (strict->pids, ==, 512);
  g_assert_cmpuint (strict->mounts->len, ==, 6);
}

static void
test_standard_gives_no_power_over_the_guest (void)
{
  static const char *const never[]
      = { "SYS_ADMIN", "NET_RAW",  "NET_ADMIN",  "SYS_PTRACE", "MKNOD",           "SYS_MODULE",
          "SYS_RAWIO", "SYS_BOOT", "SYS_CHROOT", "SETFCAP",    "DAC_READ_SEARCH", "BPF" };
  g_autoptr (DnProfile) standard = load ("standard");
  guint64 bit = 0;

  for (guint i = 0; i < G_N_ELEMENTS (never); i++)
    {
      g_assert_true (dn_capability_bit (never[i], &bit));
      g_assert_cmphex (standard->capabilities & bit, ==, 0);
    }
  g_assert_cmpint (standard->seccomp, ==, DN_SECCOMP_DEFAULT);
  g_assert_cmpint (standard->root, ==, 1);
}

static void
test_strict_is_no_looser_than_standard_and_standard_is_by_capabilities_alone (void)
{
  g_autoptr (DnProfile) strict = load ("strict"), standard = load ("standard");
  g_autoptr (GPtrArray) none = dn_profile_relaxations (strict, standard);
  g_autoptr (GPtrArray) some = dn_profile_relaxations (standard, strict);

  g_assert_cmpuint (none->len, ==, 0);
  g_assert_cmpuint (some->len, >, 0);
  for (guint i = 0; i < some->len; i++)
    g_assert_true (g_str_has_prefix (some->pdata[i], "capability "));
}

static void
test_the_canonical_text_is_the_same_profile (void)
{
  static const char *const names[] = { "strict", "standard" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (DnProfile) first = load (names[i]), second = NULL;
      g_autofree char *text = dn_profile_print (first), *again = NULL;
      g_autoptr (GError) error = NULL;

      second = dn_profile_parse (text, strlen (text), "canonical", &error);
      g_assert_no_error (error);
      again = dn_profile_print (second);
      g_assert_cmpstr (again, ==, text);
      g_assert_cmpstr (second->sha256, ==, first->sha256);
    }
}

/* The profile's text with the first @from made @to. */
static char *
change (const char *text, const char *from, const char *to)
{
  const char *at = strstr (text, from);

  g_assert_nonnull (at);
  return g_strdup_printf ("%.*s%s%s", (int) (at - text), text, to, at + strlen (from));
}

static void
test_the_hash_is_of_what_it_says_and_not_of_comments (void)
{
  g_autofree char *text = read_shipped ("strict");
  g_autofree char *comment = change (text, "# None: in", "# Not one: in");
  g_autofree char *content = change (text, "pids = 512", "pids = 513");
  g_autoptr (DnProfile) a = dn_profile_parse (text, strlen (text), "a", NULL);
  g_autoptr (DnProfile) b = dn_profile_parse (comment, strlen (comment), "b", NULL);
  g_autoptr (DnProfile) c = dn_profile_parse (content, strlen (content), "c", NULL);

  g_assert_cmpstr (a->sha256, ==, b->sha256);
  g_assert_cmpstr (a->sha256, !=, c->sha256);
}

static void
test_slips_are_named (void)
{
  static const struct
  {
    const char *from;
    const char *to;
    const char *message;
  } slips[] = {
    { "pids = 512", "pids = many", "[cgroup] pids = many: must be a whole number" },
    { "pids = 512", "pids = 512\npids = 4", "[cgroup] pids: stands there twice" },
    { "pids = 512", "", "[cgroup] pids: is missing" },
    { "pids = 512", "pids = 512\npid = 1", "[cgroup] pid: unknown key" },
    { "[cgroup]", "[cgroups]", "[cgroups]: unknown group" },
    { "version = 1", "", "[profile] version: is missing" },
    { "capabilities =", "capabilities = ALL", "'ALL': no such capability" },
    { "capabilities =", "capabilities = CHOWN;chwon", "'chwon': no such capability" },
    { "capabilities =", "capabilities = CHOWN;CHOWN", "'CHOWN' stands there twice" },
    { "capabilities =\n", "\n", "[privileges] capabilities: is missing" },
    { "no_new_privs = yes", "no_new_privs = no", "no_new_privs = no: must be yes" },
    { "keyring = session", "keyring = host", "keyring = host: must be session" },
    { "namespaces = user;", "namespaces = ", "namespaces: must be all of" },
    { ";cgroup\n", ";cgroup;time\n", "namespaces: must be all of" },
    { "ids = 65536", "ids = 65537", "[privileges] ids = 65537" },
    { "base = default", "base = mine", "must be one of default, relaxed, unconfined" },
    { "writable = readonly", "writable = yes", "must be one of readonly, ephemeral" },
    { "/sys = sysfs nosuid nodev noexec ro", "/sys = sysfs nosuid nodev noexec",
      "[mounts] /sys: ro is missing" },
    { "/proc = proc nosuid", "/proc = proc", "[mounts] /proc: nosuid is missing" },
    { "noexec\n# The agent", "noexec rw\n# The agent", "option 'rw': not possible" },
    { "/proc = proc nosuid nodev noexec\n", "", "[mounts] /proc: is missing" },
    { "/proc = proc nosuid nodev noexec\n",
      "/proc = proc nosuid nodev noexec\n/mnt = ext4 nosuid nodev\n",
      "[mounts] /mnt: no such file" },
    { "/dev/mqueue = mqueue", "/dev/mqueue = tmpfs", "[mounts] /dev/mqueue: no such file system" },
    { "/tmp = size=64m", "/proc/x = size=64m", "[tmpfs] /proc/x: --tmpfs" },
    { "/tmp = size=64m", "/tmp = suid,size=64m", "[tmpfs] /tmp: --tmpfs" },
    { "/tmp = size=64m", "/tmp/../x = size=64m", "[tmpfs] /tmp/../x: --tmpfs" },
    { "/proc/kcore = masked", "/proc/kcore = hidden", "'hidden': must be masked or readonly" },
    { "/proc/kcore = masked", "proc/kcore = masked", "[paths] proc/kcore: not an absolute path" },
    { "nice = 0", "nice = 1", "[rlimits] nice: --ulimit" },
    { "core = 0", "cores = 0", "[rlimits] cores: --ulimit" },
    { "nofile = 1024:65536", "nofile = 2:1", "[rlimits] nofile: --ulimit" },
    { "max=256", "max=256 max=9", "option 'max=256': stands twice" },
    { "net.ipv4.ip_unprivileged_port_start", "kernel.core_pattern",
      "[sysctls] kernel.core_pattern: is not a setting of the container's own" },
    { "net.ipv4.ip_unprivileged_port_start", "net.../kernel/x", "is not a setting" },
  };
  g_autofree char *text = read_shipped ("strict");

  for (guint i = 0; i < G_N_ELEMENTS (slips); i++)
    {
      g_autofree char *changed = change (text, slips[i].from, slips[i].to);
      g_autoptr (GError) error = NULL;
      g_autoptr (DnProfile) profile
          = dn_profile_parse (changed, strlen (changed), "x.conf", &error);

      if (profile != NULL)
        {
          g_test_fail_printf ("not refused: %s", slips[i].to);
          continue;
        }
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
      if (!g_str_has_prefix (error->message, "file 'x.conf")
          || strstr (error->message, slips[i].message) == NULL)
        g_test_fail_printf ("%s: %s", slips[i].to, error->message);
    }
}

static void
test_profiles_are_bounded (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *strict = read_shipped ("strict");
  g_autoptr (GError) keys = NULL, bytes = NULL;

  g_string_append (text, strict);
  for (guint i = 0; i < DN_PROFILE_TABLE_MAX; i++)
    g_string_append_printf (text, "net.x%u = 1\n", i);
  g_assert_null (dn_profile_parse (text->str, text->len, "x.conf", &keys));
  g_assert_nonnull (strstr (keys->message, "[sysctls]: more than 64 keys"));
  while (text->len <= DN_PROFILE_MAX_BYTES)
    g_string_append (text, "# more\n");
  g_assert_null (dn_profile_parse (text->str, text->len, "x.conf", &bytes));
  g_assert_nonnull (strstr (bytes->message, "larger than"));
}

/* Each way to be looser, and its name. */
static void
test_relaxations_have_names (void)
{
  static const struct
  {
    const char *from;
    const char *to;
    const char *name; /* NULL: none */
  } changes[] = {
    { "capabilities =", "capabilities = NET_RAW", "capability NET_RAW" },
    { "base = default", "base = relaxed", "seccomp relaxed" },
    { "/proc/kcore = masked\n", "", "path /proc/kcore is not masked" },
    { "/proc/kcore = masked", "/proc/kcore = readonly", "path /proc/kcore is not masked" },
    { "/proc/sys = readonly\n", "", "path /proc/sys is not read-only" },
    { "/proc/sys = readonly", "/proc/sys = masked", NULL },
    { "nr_inodes=64", "nr_inodes=65", "mount /dev without nr_inodes=64" },
    { "max=256", "max=256 uid=5", "mount /dev/pts with uid=5" },
    { "ip_unprivileged_port_start = 0", "ip_unprivileged_port_start = 1",
      "sysctl net.ipv4.ip_unprivileged_port_start" },
    { "[sysctls]\n", "[sysctls]\nnet.core.somaxconn = 9\n", "sysctl net.core.somaxconn" },
    { "/dev/mqueue = mqueue nosuid nodev noexec\n", "", NULL },
    { "pids = 512", "pids = 4096", NULL }, /* --pids-limit may as well */
    { "writable = readonly", "writable = ephemeral", NULL },
    { "ids = 65536", "ids = 1000", NULL },
  };
  g_autofree char *text = read_shipped ("strict");
  g_autoptr (DnProfile) strict = load ("strict");

  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autofree char *changed = change (text, changes[i].from, changes[i].to);
      g_autoptr (GError) error = NULL;
      g_autoptr (DnProfile) profile
          = dn_profile_parse (changed, strlen (changed), "x.conf", &error);
      g_autoptr (GPtrArray) list = NULL;

      g_assert_no_error (error);
      list = dn_profile_relaxations (profile, strict);
      g_assert_cmpuint (list->len, ==, changes[i].name != NULL ? 1 : 0);
      if (list->len == 1)
        g_assert_cmpstr (list->pdata[0], ==, changes[i].name);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/profile/" name, function)
  ADD ("strict-gives-nothing", test_strict_gives_nothing);
  ADD ("standard-gives-no-power-over-the-guest", test_standard_gives_no_power_over_the_guest);
  ADD ("strict-is-no-looser-than-standard-and-standard-is-by-capabilities-alone",
       test_strict_is_no_looser_than_standard_and_standard_is_by_capabilities_alone);
  ADD ("the-canonical-text-is-the-same-profile", test_the_canonical_text_is_the_same_profile);
  ADD ("the-hash-is-of-what-it-says-and-not-of-comments",
       test_the_hash_is_of_what_it_says_and_not_of_comments);
  ADD ("slips-are-named", test_slips_are_named);
  ADD ("profiles-are-bounded", test_profiles_are_bounded);
  ADD ("relaxations-have-names", test_relaxations_have_names);
  return g_test_run ();
}
