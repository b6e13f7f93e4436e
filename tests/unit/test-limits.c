/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/limits/guest-*.c launcher/limits/host-*.c launcher/limits/context-edit.c
 * launcher/limits/limits-json.c launcher/limits/oom-victim.c launcher/spec/cpu-list.c
 * launcher/common/*.c launcher/base/*.c protocol/*.c */
/* Packages: json-glib-1.0 */
/* The tree of a host's control groups is made in a directory of the test's own. */
#include <glib/gstdio.h>
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/limits/context-edit.h"
#include "../../launcher/limits/host-memory.h"
#include "../../launcher/limits/limits-json.h"
#include "../../launcher/limits/oom-victim.h"
#include "../../launcher/spec/cpu-list.h"

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)
#define GIB (1024 * MIB)

static void
test_sums_what_a_guest_may_use (void)
{
  const DnGuestShape shape = { .memory_bytes = 512 * MIB, .vcpus = 4, .disks = 9 };
  DnGuestShape emulated = shape;
  DnGuestSize size;

  dn_guest_size (&shape, &size);
  g_assert_cmpuint (size.system_bytes, ==, 100 * MIB);
  g_assert_cmpuint (size.container_bytes, ==, 412 * MIB);
  g_assert_cmpuint (size.table_bytes, ==, 2 * MIB);
  g_assert_cmpuint (size.emulation_bytes, ==, 0);
  g_assert_cmpuint (size.limit_bytes, ==, (512 + 2 + 128 + 8 + 18) * MIB);
  emulated.is_emulated = emulated.has_network = emulated.has_binds = TRUE;
  dn_guest_size (&emulated, &size);
  g_assert_cmpuint (size.limit_bytes, ==, (512 + 2 + 128 + 8 + 18 + 8 + 264 + 256 + 64) * MIB);
}

static void
test_finds_the_least_guest_that_holds_a_container (void)
{
  static const guint64 sizes_mib[] = { 1, 31, 32, 33, 160, 161, 500, 4096, 100000, 1000000 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes_mib); i++)
    {
      guint64 wanted = sizes_mib[i] * MIB;
      guint64 least = dn_guest_size_least (wanted);

      g_assert_cmpuint (least % MIB, ==, 0);
      g_assert_cmpuint (least - dn_guest_size_system (least), >=, wanted);
      g_assert_cmpuint (least, >=, DN_GUEST_MEMORY_MIN_MIB * MIB);
      if (least > DN_GUEST_MEMORY_MIN_MIB * MIB)
        {
          guint64 less = least - MIB;

          g_assert_cmpuint (less - dn_guest_size_system (less), <, wanted);
        }
    }
}

static gboolean
parse (const char *text, DnGuestLimits *limits, GError **error)
{
  DnKey keys[DN_GUEST_LIMITS_KEYS + 1] = { 0 };
  g_autoptr (DnKeyPlaces) places = dn_key_places_new ();

  *limits = (DnGuestLimits){ 0 };
  dn_guest_limits_fill_keys (limits, keys);
  return dn_key_file_parse_places (text, strlen (text), "x.conf", keys, places, error)
         && dn_guest_limits_check (limits, "x.conf", places, error);
}

static void
test_refuses_limits_that_cannot_work_with_the_least_that_can (void)
{
  static const struct
  {
    const char *text;
    const char *words;
  } cases[] = {
    { "[guest]\ncpu_quota_percent = 1\n",
      "'x.conf:2': [guest] cpu_quota_percent: must be at least 5" },
    { "[guest]\ncpu_shares = 1\n", "must be at least 2" },
    { "[guest]\n\nio_read_kib_per_s = 8\n",
      "'x.conf:3': [guest] io_read_kib_per_s: must be at least 64" },
    { "[guest]\nio_write_per_s = 3\n", "must be at least 10" },
    { "[guest]\ncpu_shares = 300000\n", "to 262144" },
    { "[guest]\nballoon = maybe\n", "balloon" },
  };
  DnGuestLimits limits;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (parse (cases[i].text, &limits, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].words));
    }
}

static void
test_reads_limits_and_hands_them_on (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = NULL;
  DnGuestLimits limits, again = { 0 };

  g_assert_true (parse ("[guest]\ncpu_shares = 512\ncpu_quota_percent = 150\nio_read_kib_per_s = "
                        "1024\nio_write_per_s = 50\nballoon = no\n",
                        &limits, &error));
  g_assert_cmpuint (limits.read_bytes_per_s, ==, MIB);
  g_assert_cmpuint (dn_guest_limits_shares (&limits, 4), ==, 512);
  g_assert_cmpuint (dn_guest_limits_quota_us (&limits), ==, 150000);
  g_assert_true (dn_guest_limits_have_io (&limits));
  object = dn_guest_limits_to_json (&limits);
  g_assert_true (dn_guest_limits_read (&again, object, "state", &error));
  g_assert_cmpmem (&again, sizeof again, &limits, sizeof limits);
  json_object_set_int_member (object, "cpu_shares", -1);
  g_assert_false (dn_guest_limits_read (&again, object, "state", NULL));
  limits = (DnGuestLimits){ 0 };
  g_assert_cmpuint (dn_guest_limits_shares (&limits, 4), ==, 4096);
  g_assert_cmpuint (dn_guest_limits_quota_us (&limits), ==, 0);
  g_assert_false (dn_guest_limits_have_io (&limits));
}

/* Version 2 of control groups has other weights, which end at 10,000. */
static void
test_weighs_as_the_hosts_groups_do (void)
{
  g_assert_cmpuint (dn_host_group_weight (1024, FALSE), ==, 1024);
  g_assert_cmpuint (dn_host_group_weight (1024, TRUE), ==, 100);
  g_assert_cmpuint (dn_host_group_weight (2, TRUE), ==, 1);
  g_assert_cmpuint (dn_host_group_weight (64 * 1024, TRUE), ==, 6400);
  g_assert_cmpuint (dn_host_group_weight (262144, TRUE), ==, 10000);
}

static char *
make_root (void)
{
  return g_dir_make_tmp ("danchi-test-XXXXXX", NULL);
}

static void
put (const char *root, const char *path, const char *text)
{
  g_autofree char *file = g_strconcat (root, path, NULL);
  g_autofree char *directory = g_path_get_dirname (file);

  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_assert_true (g_file_set_contents (file, text, -1, NULL));
}

static void
remove_tree (const char *path)
{
  GDir *directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  if (directory != NULL)
    g_dir_close (directory);
  (void) g_remove (path);
}

#define V2 "/sys/fs/cgroup/machine.slice/machine-qemu-1-danchi.scope/libvirt"

static void
test_reads_a_group_of_version_2 (void)
{
  g_autofree char *root = make_root ();
  DnHostGroup group;

  put (root, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
  put (root, "/proc/7/cgroup", "0::/machine.slice/machine-qemu-1-danchi.scope/libvirt/emulator\n");
  put (root, V2 "/emulator/cpu.max", "max 100000\n");
  put (root, V2 "/cpu.max", "50000 100000\n");
  put (root, V2 "/memory.max", "max\n");
  put (root, "/sys/fs/cgroup/machine.slice/machine-qemu-1-danchi.scope/memory.max", "734003200\n");
  put (root, "/sys/fs/cgroup/machine.slice/machine-qemu-1-danchi.scope/cpu.weight", "200\n");
  put (root, "/sys/fs/cgroup/machine.slice/cpu.weight", "55\n");
  g_assert_true (dn_host_group_is_unified (root));
  g_assert_cmpuint (dn_host_group_version (root), ==, 2);
  g_assert_true (dn_host_group_read (root, 7, &group));
  g_assert_cmpuint (group.version, ==, 2);
  g_assert_true (group.has_cpu && group.has_memory);
  g_assert_cmpuint (group.quota_us, ==, 50000);
  g_assert_cmpuint (group.period_us, ==, 100000);
  g_assert_cmpuint (group.memory_bytes, ==, 734003200);
  g_assert_cmpuint (group.weight, ==, 200);
  put (root, "/proc/8/cgroup", "0::/machine.slice/machine-qemu-1-danchi.scope/libvirt/emulator\n");
  put (root, "/proc/9/cgroup", "0::/machine.slice/machine-qemu-1-danchi.scope\n");
  g_assert_cmpstr (dn_host_group_holds (root, 7, 8), ==, "its guest's");
  g_assert_cmpstr (dn_host_group_holds (root, 7, 9), ==, "another");
  g_assert_cmpstr (dn_host_group_holds (root, 7, 10), ==, "another");
  g_assert_cmpstr (dn_host_group_holds (root, 10, 8), ==, "absent");
  remove_tree (root);
}

static void
test_reads_groups_of_version_1 (void)
{
  g_autofree char *root = make_root ();
  DnHostGroup group;

  put (root, "/sys/fs/cgroup/unified/cgroup.controllers", "hugetlb\n");
  put (root, "/proc/7/cgroup",
       "4:memory:/machine/qemu-1-danchi.libvirt-qemu\n"
       "1:cpu,cpuacct:/machine/qemu-1-danchi.libvirt-qemu/emulator\n"
       "0::/machine/qemu-1-danchi.libvirt-qemu/emulator\n");
  put (root, "/sys/fs/cgroup/memory/machine/qemu-1-danchi.libvirt-qemu/memory.limit_in_bytes",
       "409600000\n");
  put (root, "/sys/fs/cgroup/memory/machine/memory.limit_in_bytes", "9223372036854771712\n");
  put (root, "/sys/fs/cgroup/cpu,cpuacct/machine/qemu-1-danchi.libvirt-qemu/cpu.shares", "2048\n");
  put (root, "/sys/fs/cgroup/cpu,cpuacct/machine/qemu-1-danchi.libvirt-qemu/cpu.cfs_quota_us",
       "-1\n");
  g_assert_false (dn_host_group_is_unified (root));
  g_assert_cmpuint (dn_host_group_version (root), ==, 0);
  put (root, "/sys/fs/cgroup/memory/cgroup.procs", "");
  put (root, "/sys/fs/cgroup/cpu,cpuacct/cgroup.procs", "");
  g_assert_cmpuint (dn_host_group_version (root), ==, 1);
  g_assert_true (dn_host_group_read (root, 7, &group));
  g_assert_cmpuint (group.version, ==, 1);
  g_assert_true (group.has_cpu && group.has_memory);
  g_assert_cmpuint (group.quota_us, ==, 0);
  g_assert_cmpuint (group.memory_bytes, ==, 409600000);
  g_assert_cmpuint (group.weight, ==, 2048);
  /* What limits nothing need not be joined. */
  put (root, "/proc/8/cgroup",
       "1:cpu,cpuacct:/machine/qemu-1-danchi.libvirt-qemu/emulator\n"
       "4:memory:/machine/qemu-1-danchi.libvirt-qemu\n0::/\n");
  put (root, "/proc/9/cgroup", "4:memory:/machine/qemu-1-danchi.libvirt-qemu\n1:cpu,cpuacct:/\n");
  g_assert_cmpstr (dn_host_group_holds (root, 7, 8), ==, "its guest's");
  g_assert_cmpstr (dn_host_group_holds (root, 7, 9), ==, "another");
  remove_tree (root);
}

static void
test_says_where_the_host_limits_nothing (void)
{
  g_autofree char *root = make_root ();
  g_autoptr (JsonObject) object = NULL;
  DnHostGroup group;

  put (root, "/sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
  put (root, "/proc/7/cgroup", "0::/system.slice/danchid.service\n");
  put (root, "/proc/8/cgroup", "0::/../../etc\nnonsense\n4:memory\n");
  put (root, "/sys/fs/cgroup/system.slice/danchid.service/memory.max", "5\n");
  g_assert_true (dn_host_group_read (root, 7, &group));
  g_assert_cmpuint (group.version, ==, 0);
  g_assert_false (group.has_cpu || group.has_memory);
  object = dn_host_group_to_json (&group);
  g_assert_cmpstr (json_object_get_string_member (object, "cpu"), ==, "none");
  g_assert_cmpstr (json_object_get_string_member (object, "memory"), ==, "none");
  g_assert_true (dn_host_group_read (root, 8, &group));
  g_assert_cmpuint (group.version, ==, 0);
  g_assert_false (dn_host_group_read (root, 9, &group));
  g_assert_cmpstr (dn_host_group_holds (root, 7, 7), ==, "absent");
  remove_tree (root);
}

static void
test_counts_what_the_host_can_still_promise (void)
{
  DnHostMemory memory;
  g_autoptr (GError) first = NULL, second = NULL;

  g_assert_false (dn_host_memory_parse ("nothing\n", &memory));
  g_assert_true (dn_host_memory_parse ("MemTotal:  1048576 kB\nMemFree: 1 kB\n"
                                       "MemAvailable:  524288 kB\n",
                                       &memory));
  g_assert_cmpuint (memory.total_bytes, ==, GIB);
  g_assert_cmpuint (memory.available_bytes, ==, 512 * MIB);
  g_assert_true (dn_host_memory_check (&memory, 0, 512 * MIB, 100, NULL));
  g_assert_true (dn_host_memory_check (&memory, GIB, 512 * MIB, 150, NULL));
  g_assert_true (dn_host_memory_check (&memory, 100 * GIB, 100 * GIB, 0, NULL));
  g_assert_false (dn_host_memory_check (&memory, 768 * MIB, 300 * MIB, 100, &first));
  g_assert_error (first, DN_ERROR, DN_ERROR_LIMIT);
  g_assert_nonnull (strstr (first->message, "768 MiB are promised to guests and 300 MiB"));
  g_assert_nonnull (strstr (first->message, "leaves 256 MiB"));
  g_assert_nonnull (strstr (first->message, "memory_overcommit_percent"));
  g_assert_false (dn_host_memory_check (&memory, 0, 513 * MIB, 100, &second));
  g_assert_nonnull (strstr (second->message, "512 MiB are free now, and 513 MiB are wanted"));
}

static void
test_edits_a_file_and_keeps_what_the_operator_wrote (void)
{
  static const struct
  {
    const char *before;
    const char *after;
  } cases[] = {
    { "", "[guest]\ncpu_shares = 7\n" },
    { "[context]\ntenant = acme\n", "[context]\ntenant = acme\n\n[guest]\ncpu_shares = 7\n" },
    { "# mine\n[guest]\n# two\ncpu_shares = 2 \n\n[x]\n",
      "# mine\n[guest]\n# two\ncpu_shares = 7\n\n[x]\n" },
    { "[guest]\nvcpus = 2\n\n# of x\n[x]\ncpu_shares = 3",
      "[guest]\nvcpus = 2\ncpu_shares = 7\n\n# of x\n[x]\ncpu_shares = 3\n" },
    { "[x]\n[guest]\n", "[x]\n[guest]\ncpu_shares = 7\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (DnKeyPlaces) places = dn_key_places_new ();
      guint64 shares = 0, vcpus = 0, other = 0;
      const DnKey keys[] = { { "guest", "cpu_shares", DN_KEY_INTEGER, &shares, 0, 99, 1, NULL },
                             { "guest", "vcpus", DN_KEY_INTEGER, &vcpus, 0, 99, 1, NULL },
                             { "x", "cpu_shares", DN_KEY_INTEGER, &other, 0, 99, 1, NULL },
                             { "context", "tenant", DN_KEY_WORD, &(char *){ NULL }, 0, 0, 0, NULL },
                             { NULL } };
      g_autofree char *after = NULL;

      g_assert_true (dn_key_file_parse_places (cases[i].before, strlen (cases[i].before), "x", keys,
                                               places, NULL));
      after = dn_context_edit (cases[i].before, places, "guest", "cpu_shares", "7");
      g_assert_cmpstr (after, ==, cases[i].after);
      g_assert_true (dn_key_file_parse (after, strlen (after), "x", keys, NULL));
      g_assert_cmpuint (shares, ==, 7);
      g_free (*(char **) keys[3].ret_value);
    }
}

static void
test_writes_a_list_of_processors_as_the_kernel_does (void)
{
  static const char *const cases[][2]
      = { { "0", "0" }, { "3,0-1,1", "0-1,3" }, { "1,2,3", "1-3" }, { "1023", "1023" } };
  static const char *const wrong[] = { "", ",", "a", "1-", "-1", "2-1", "0 1", "1024", "0,,1" };
  guint highest;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *list = dn_cpu_list_parse (cases[i][0], &highest);

      g_assert_cmpstr (list, ==, cases[i][1]);
    }
  g_assert_cmpuint (highest, ==, 1023);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_null (dn_cpu_list_parse (wrong[i], NULL));
}

/* The name is the guest's word, and a container's end by another signal is none for memory. */
static void
test_tells_of_the_victim_and_of_no_other (void)
{
  DnMsgOomVictim message = { .pid = 7, .uid = 33, .memory_bytes = 5 * MIB };
  DnOomVictim oom = { 0 };
  g_auto (GStrv) attributes = NULL, none = NULL;
  g_autofree char *reason = NULL, *unknown = NULL;
  g_autoptr (JsonObject) object = NULL;

  dn_oom_victim_count (&oom);
  none = dn_oom_victim_to_attributes (&oom);
  g_assert_null (none[0]);
  unknown = dn_oom_victim_reason (&oom);
  g_assert_cmpstr (unknown, ==, "it used more memory than its limit allows");
  g_assert_true (dn_oom_victim_can_be_first (&oom));
  strcpy (message.program, "ev\033[2Jil");
  dn_oom_victim_take (&oom, &message, 99);
  dn_oom_victim_count (&oom);
  g_assert_cmpuint (oom.count, ==, 2);
  g_assert_false (dn_oom_victim_can_be_first (&oom));
  attributes = dn_oom_victim_to_attributes (&oom);
  g_assert_cmpuint (g_strv_length (attributes), ==, 8);
  g_assert_null (strchr (attributes[1], '\033'));
  reason = dn_oom_victim_reason (&oom);
  g_assert_nonnull (strstr (reason, "5 MiB"));
  object = dn_oom_victim_to_json (&oom);
  g_assert_cmpint (json_object_get_int_member (object, "pid"), ==, 7);
  message.pid = 1;
  dn_oom_victim_take (&oom, &message, 100);
  g_assert_true (dn_oom_victim_can_be_first (&oom));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/limits/sums-what-a-guest-may-use", test_sums_what_a_guest_may_use);
  g_test_add_func ("/limits/finds-the-least-guest-that-holds-a-container",
                   test_finds_the_least_guest_that_holds_a_container);
  g_test_add_func ("/limits/refuses-limits-that-cannot-work-with-the-least-that-can",
                   test_refuses_limits_that_cannot_work_with_the_least_that_can);
  g_test_add_func ("/limits/reads-limits-and-hands-them-on", test_reads_limits_and_hands_them_on);
  g_test_add_func ("/limits/weighs-as-the-hosts-groups-do", test_weighs_as_the_hosts_groups_do);
  g_test_add_func ("/limits/reads-a-group-of-version-2", test_reads_a_group_of_version_2);
  g_test_add_func ("/limits/reads-groups-of-version-1", test_reads_groups_of_version_1);
  g_test_add_func ("/limits/says-where-the-host-limits-nothing",
                   test_says_where_the_host_limits_nothing);
  g_test_add_func ("/limits/counts-what-the-host-can-still-promise",
                   test_counts_what_the_host_can_still_promise);
  g_test_add_func ("/limits/edits-a-file-and-keeps-what-the-operator-wrote",
                   test_edits_a_file_and_keeps_what_the_operator_wrote);
  g_test_add_func ("/limits/writes-a-list-of-processors-as-the-kernel-does",
                   test_writes_a_list_of_processors_as_the_kernel_does);
  g_test_add_func ("/limits/tells-of-the-victim-and-of-no-other",
                   test_tells_of_the_victim_and_of_no_other);
  return g_test_run ();
}
