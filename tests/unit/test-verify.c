/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/verify/*.c launcher/spec/capability.c launcher/common/names.c
 * launcher/common/paths.c launcher/limits/host-group.c launcher/limits/guest-limits.c
 * launcher/common/json.c launcher/common/error.c protocol/protocol.c protocol/pack.c */
/* Packages: glib-2.0 json-glib-1.0 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/common/json.h"
#include "../../launcher/verify/host-facts.h"
#include "../../launcher/verify/judge.h"

static const struct
{
  DnVerifyHow how;
  const char *promised;
  const char *value;
  DnVerdict verdict;
} cases[] = {
  { DN_HOW_EQUAL, "1", "1", DN_VERDICT_OK },
  { DN_HOW_EQUAL, "1", "0", DN_VERDICT_DIFFERS },
  { DN_HOW_EQUAL, "1", "", DN_VERDICT_DIFFERS },
  { DN_HOW_EQUAL, "1", "unknown: why", DN_VERDICT_UNKNOWN },
  { DN_HOW_EQUAL_OR_ABSENT, "2", "absent", DN_VERDICT_OK },
  { DN_HOW_EQUAL_OR_ABSENT, "2", "1", DN_VERDICT_DIFFERS },
  { DN_HOW_ONE_OF, "a or b c", "b c", DN_VERDICT_OK },
  { DN_HOW_ONE_OF, "a or b c", "b", DN_VERDICT_DIFFERS },
  { DN_HOW_SUBSET, "00ff", "00000f", DN_VERDICT_OK },
  { DN_HOW_SUBSET, "00ff", "0100", DN_VERDICT_DIFFERS },
  { DN_HOW_SUBSET, "0", "ffffffffffffffff", DN_VERDICT_DIFFERS },
  { DN_HOW_SUBSET, "0", "", DN_VERDICT_UNKNOWN },
  { DN_HOW_SUBSET, "0", "10000000000000000", DN_VERDICT_UNKNOWN },
  { DN_HOW_SUBSET, "0", "-1", DN_VERDICT_UNKNOWN },
  { DN_HOW_AT_MOST, "1024 65536", "1024 65536", DN_VERDICT_OK },
  { DN_HOW_AT_MOST, "1024 65536", "0 0", DN_VERDICT_OK },
  { DN_HOW_AT_MOST, "1024 65536", "1024 unlimited", DN_VERDICT_DIFFERS },
  { DN_HOW_AT_MOST, "1024 65536", "1024", DN_VERDICT_UNKNOWN },
  { DN_HOW_AT_MOST, "1024 65536", "1024 65536 1", DN_VERDICT_UNKNOWN },
  { DN_HOW_AT_MOST, "unlimited", "max", DN_VERDICT_OK },
  { DN_HOW_AT_LEAST, "0", "-500", DN_VERDICT_DIFFERS },
  { DN_HOW_AT_LEAST, "0", "x", DN_VERDICT_UNKNOWN },
  { DN_HOW_AT_LEAST, "1", "2", DN_VERDICT_OK },
  { DN_HOW_AT_LEAST, "1", "0", DN_VERDICT_DIFFERS },
  { DN_HOW_IDS, "range", "100 199 150", DN_VERDICT_OK },
  { DN_HOW_IDS, "range", "", DN_VERDICT_OK },
  { DN_HOW_IDS, "range", "0 100", DN_VERDICT_DIFFERS },
  { DN_HOW_IDS, "range", "200", DN_VERDICT_DIFFERS },
  { DN_HOW_IDS, "range", "100 x", DN_VERDICT_UNKNOWN },
  { DN_HOW_WORDS, "ro,nosuid", "erofs / ro,nosuid,nodev", DN_VERDICT_OK },
  { DN_HOW_WORDS, "ro,nosuid", "erofs / rw,nosuid,nodev", DN_VERDICT_DIFFERS },
  { DN_HOW_WORDS, "tmpfs nosuid", "erofs / nosuid", DN_VERDICT_DIFFERS },
  { DN_HOW_SET, "10.0.0.1/24 fd00::1/64", "fd00::1/64 10.0.0.1/24", DN_VERDICT_OK },
  { DN_HOW_SET, "10.0.0.1/24", "10.0.0.1/24 10.0.0.2/24", DN_VERDICT_DIFFERS },
  { DN_HOW_SET, "10.0.0.1/24 fd00::1/64", "10.0.0.1/24", DN_VERDICT_DIFFERS },
  { DN_HOW_MOUNT, "ro", "absent", DN_VERDICT_OK },
  { DN_HOW_MOUNT, "ro", "bare", DN_VERDICT_DIFFERS },
  { DN_HOW_HIDDEN, "hidden", "absent", DN_VERDICT_OK },
  { DN_HOW_HIDDEN, "hidden", "bare", DN_VERDICT_DIFFERS },
  { DN_HOW_HIDDEN, "hidden", "devtmpfs /null rw,nosuid", DN_VERDICT_OK },
  { DN_HOW_HIDDEN, "hidden", "devtmpfs /mem rw,nosuid", DN_VERDICT_DIFFERS },
  { DN_HOW_HIDDEN, "hidden", "tmpfs / ro,nosuid", DN_VERDICT_OK },
  { DN_HOW_HIDDEN, "hidden", "tmpfs / rw,nosuid", DN_VERDICT_DIFFERS },
  { DN_HOW_REFUSED, "refused", "refused EPERM", DN_VERDICT_OK },
  { DN_HOW_REFUSED, "refused", "not tried: it has id 0", DN_VERDICT_OK },
  { DN_HOW_REFUSED, "refused", "SUCCEEDED", DN_VERDICT_DIFFERS },
};

static void
test_a_value_keeps_its_promise_or_not (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnVerifyPromise promise = {
        .promised = (char *) cases[i].promised, .how = cases[i].how, .low = 100, .high = 199
      };

      g_test_message ("%s / %s", cases[i].promised, cases[i].value);
      g_assert_cmpint (dn_verify_judge_value (&promise, cases[i].value), ==, cases[i].verdict);
    }
}

/* A FACT as a guest sends it. */
static void
take (DnVerifyFacts *facts, const char *name, const char *value, guint32 count, guint32 pid)
{
  DnMsgFact fact = { .request = 1, .count = count, .pid = pid };
  guint8 bytes[1024];
  int size;

  g_strlcpy (fact.name, name, sizeof fact.name);
  g_strlcpy (fact.value, value, sizeof fact.value);
  size = dn_msg_fact_pack (&fact, bytes, sizeof bytes);
  g_assert_cmpint (size, >, 0);
  dn_verify_facts_take (facts, bytes, (guint32) size);
}

static const DnVerifyLine *
find_line (const GPtrArray *lines, const char *control)
{
  for (guint i = 0; i < lines->len; i++)
    {
      const DnVerifyLine *line = lines->pdata[i];

      if (g_str_equal (line->control, control))
        return line;
    }
  g_test_message ("no line '%s'", control);
  g_assert_not_reached ();
}

static void
test_one_bad_process_among_many_is_the_lines_verdict (void)
{
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autoptr (GPtrArray) lines = NULL;

  dn_verify_promise (promises, "no_new_privs", "R3.4", DN_HOW_EQUAL, "1");
  dn_verify_promise (promises, "seccomp.mode", "R3.6", DN_HOW_EQUAL, "2");
  dn_verify_promise (promises, "cap.bounding", "R3.5", DN_HOW_SUBSET, "0");
  take (facts, "no_new_privs", "1", 40, 5);
  take (facts, "no_new_privs", "0", 1, 77);
  take (facts, "seccomp.mode", "2", 41, 5);
  take (facts, "exec.seccomp.mode", "0", 1, 99);
  /* Seen in what joined it only: nothing is known of the container's own. */
  take (facts, "exec.cap.bounding", "0", 1, 99);
  take (facts, "complete", "yes", 1, 0);
  lines = dn_verify_judge (promises, facts);
  g_assert_cmpint (find_line (lines, "no_new_privs")->verdict, ==, DN_VERDICT_DIFFERS);
  g_assert_cmpstr (find_line (lines, "no_new_privs")->actual, ==, "0 (guest pid 77)");
  g_assert_cmpint (find_line (lines, "seccomp.mode")->verdict, ==, DN_VERDICT_DIFFERS);
  g_assert_cmpint (find_line (lines, "cap.bounding")->verdict, ==, DN_VERDICT_UNKNOWN);
  g_assert_cmpint (find_line (lines, "observed")->verdict, ==, DN_VERDICT_OK);
}

static void
test_a_hostile_guest_gets_a_bounded_hearing (void)
{
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autoptr (GPtrArray) lines = NULL;
  g_autoptr (GPtrArray) names = NULL;

  dn_verify_promise (promises, "uid", "R5.3", DN_HOW_EQUAL, "1");
  take (facts, "uid", "1\033[2J\nok", 1, 1);
  take (facts, "complete", "yes", 1, 0);
  for (int i = 0; i < 5000; i++)
    {
      g_autofree char *name = g_strdup_printf ("junk%d", i);

      take (facts, name, "x", G_MAXUINT32, G_MAXUINT32);
    }
  names = dn_verify_facts_list (facts, "");
  g_assert_cmpuint (names->len, <=, DN_FACTS_MAX);
  lines = dn_verify_judge (promises, facts);
  g_assert_cmpint (find_line (lines, "uid")->verdict, ==, DN_VERDICT_DIFFERS);
  g_assert_null (strchr (find_line (lines, "uid")->actual, '\033'));
  g_assert_null (strchr (find_line (lines, "uid")->actual, '\n'));
  /* Something was left out: the whole is not proven. */
  g_assert_cmpint (find_line (lines, "observed")->verdict, ==, DN_VERDICT_UNKNOWN);
}

static void
test_silence_is_unknown (void)
{
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autoptr (GPtrArray) lines = NULL;
  DnGuestInfo info = { .memory_bytes = 1 << 28, .vcpus = 1, .boot_id = (char *) "b" };

  dn_verify_facts_take (facts, (const guint8 *) "short", 5);
  dn_verify_promise_guest (promises, &info);
  lines = dn_verify_judge (promises, facts);
  g_assert_cmpuint (lines->len, >, 30);
  for (guint i = 0; i < lines->len; i++)
    g_assert_cmpint (((DnVerifyLine *) lines->pdata[i])->verdict, ==, DN_VERDICT_UNKNOWN);
}

static JsonNode *
read_spec (const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", "spec", name, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  JsonNode *node;
  gsize size;

  g_assert_true (g_file_get_contents (path, &text, &size, &error));
  node = dn_json_parse (text, size, 1 << 20, name, &error);
  g_assert_no_error (error);
  return node;
}

static const DnVerifyPromise *
find_promise (const GPtrArray *promises, const char *control)
{
  for (guint i = 0; i < promises->len; i++)
    {
      const DnVerifyPromise *promise = promises->pdata[i];

      if (g_str_equal (promise->control, control))
        return promise;
    }
  return NULL;
}

static void
test_a_containers_document_is_its_promise (void)
{
  g_autoptr (JsonNode) spec = read_spec ("default.json");
  g_autoptr (JsonNode) full = read_spec ("everything.json");
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (GPtrArray) more = dn_verify_promises_new ();

  dn_verify_promise_container (promises, json_node_get_object (spec));
  g_assert_cmpstr (find_promise (promises, "cap.bounding")->promised, ==, "0000000000000000");
  g_assert_cmpstr (find_promise (promises, "id_map.uid")->promised, ==, "0 165536 65536");
  g_assert_cmpuint (find_promise (promises, "uid")->low, ==, 165536);
  g_assert_cmpuint (find_promise (promises, "uid")->high, ==, 165536 + 65535);
  /* A process may raise its soft limit. */
  g_assert_cmpstr (find_promise (promises, "rlimit.RLIMIT_NOFILE")->promised, ==, "65536 65536");
  g_assert_cmpstr (find_promise (promises, "mount./tmp")->promised, ==,
                   "tmpfs nosuid,nodev,noexec");
  g_assert_cmpstr (find_promise (promises, "mount./sys/fs/cgroup")->promised, ==,
                   "cgroup2 nosuid,nodev,noexec,ro");
  g_assert_cmpstr (find_promise (promises, "mount./")->promised, ==, "ro,nosuid,nodev");
  g_assert_cmpint (find_promise (promises, "mount./proc/kcore")->how, ==, DN_HOW_HIDDEN);
  g_assert_cmpstr (find_promise (promises, "cgroup.pids.max")->promised, ==, "512");
  g_assert_null (find_promise (promises, "cgroup.memory.max"));
  g_assert_nonnull (find_promise (promises, "try.keyctl"));
  dn_verify_promise_container (more, json_node_get_object (full));
  g_assert_nonnull (find_promise (more, "cgroup.memory.max"));
}

static void
test_whose_processes_a_pods_container_is_among_is_promised (void)
{
  static const struct
  {
    const char *annotations;
    const char *promised; /* NULL: nothing is */
  } documents[] = {
    { "{}", NULL },
    { "{\"org.danchi.processes\": \"pod\"}", NULL },
    { "{\"org.danchi.pod\": \"yes\"}", "own" },
    { "{\"org.danchi.pod\": \"yes\", \"org.danchi.processes\": \"pod\"}", "the pod's" },
    { "{\"org.danchi.pod\": \"yes\", \"org.danchi.processes\": \"0a1b\"}", "container 0a1b's" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (documents); i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"annotations\": %s}", documents[i].annotations);
      g_autoptr (JsonNode) spec = dn_json_parse (text, strlen (text), 1000, "spec", NULL);
      g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
      const DnVerifyPromise *promise;

      dn_verify_promise_container (promises, json_node_get_object (spec));
      promise = find_promise (promises, "namespace.pid.whose");
      g_assert_cmpstr (promise != NULL ? promise->promised : NULL, ==, documents[i].promised);
      if (promise != NULL)
        g_assert_cmpint (promise->how, ==, DN_HOW_EQUAL);
    }
}

static void
test_a_granted_capability_permits_its_attempts (void)
{
  const char *text = "{\"process\":{\"capabilities\":{\"bounding\":[\"CAP_SYS_CHROOT\","
                     "\"CAP_NET_RAW\"]}}}";
  g_autoptr (JsonNode) spec = dn_json_parse (text, strlen (text), 1000, "spec", NULL);
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();

  dn_verify_promise_container (promises, json_node_get_object (spec));
  g_assert_cmpstr (find_promise (promises, "cap.bounding")->promised, ==, "0000000000042000");
  g_assert_null (find_promise (promises, "try.chroot"));
  g_assert_null (find_promise (promises, "try.raw-socket"));
  g_assert_nonnull (find_promise (promises, "try.mount"));
  /* What a document does not say is no reason to promise less. */
  g_assert_cmpstr (find_promise (promises, "no_new_privs")->promised, ==, "1");
  g_assert_cmpint (find_promise (promises, "uid")->how, ==, DN_HOW_IDS);
}

static void
test_mounts_beside_the_promised_ones_are_named (void)
{
  g_autoptr (JsonNode) spec = read_spec ("default.json");
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autoptr (GPtrArray) fine = NULL;
  g_autoptr (GPtrArray) lines = NULL;

  dn_verify_promise_container (promises, json_node_get_object (spec));
  take (facts, "mount./dev/null", "devtmpfs /null rw", 1, 0);
  take (facts, "mount./tmp", "tmpfs / rw", 1, 0);
  fine = dn_verify_judge (promises, facts);
  g_assert_cmpint (find_line (fine, "mount.others")->verdict, ==, DN_VERDICT_OK);
  take (facts, "mount./guest", "erofs / ro", 1, 0);
  lines = dn_verify_judge (promises, facts);
  g_assert_cmpint (find_line (lines, "mount.others")->verdict, ==, DN_VERDICT_DIFFERS);
  g_assert_cmpstr (find_line (lines, "mount.others")->actual, ==, "/guest");
}

/* What qemu.network is with these arguments behind -netdev, of which there may be none. */
static const char *
network_of (const char *first, const char *second)
{
  char *arguments[] = { (char *) "qemu",    (char *) "-netdev", (char *) first,
                        (char *) "-netdev", (char *) second,    NULL };
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();

  if (first == NULL)
    arguments[1] = NULL;
  else if (second == NULL)
    arguments[3] = NULL;
  dn_host_facts_read_qemu (facts, arguments);
  return g_intern_string (
      ((DnVerifyFact *) dn_verify_facts_find (facts, "qemu.network")->pdata[0])->value);
}

static void
test_a_card_is_one_tap_that_qemu_itself_serves (void)
{
  const char *tap = "{\"type\":\"tap\",\"fd\":\"28\",\"id\":\"hostnet0\"}";

  g_assert_cmpstr (network_of (NULL, NULL), ==, "none");
  g_assert_cmpstr (network_of (tap, NULL), ==, "tap");
  g_assert_cmpstr (network_of ("tap,fd=28,id=hostnet0", NULL), ==, "tap");
  g_assert_cmpstr (network_of (tap, tap), ==, "some");
  g_assert_cmpstr (network_of ("{\"type\":\"user\",\"id\":\"a\"}", NULL), ==, "some");
  g_assert_cmpstr (network_of ("{\"type\":\"tap\",\"fd\":\"28\",\"vhost\":true}", NULL), ==,
                   "some");
}

static void
test_qemus_command_line_is_held_to_the_plan (void)
{
  char *arguments[] = {
    (char *) "qemu",
    (char *) "-machine",
    (char *) "q35,usb=off,vmport=off,smm=off,dump-guest-core=off,mem-merge=off",
    (char *) "-machine",
    (char *) "i8042=off,sata=off,smbus=off",
    (char *) "-accel",
    (char *) "kvm,x=y",
    (char *) "-m",
    (char *) "size=262144k",
    (char *) "-display",
    (char *) "none",
    (char *) "-no-user-config",
    (char *) "-nodefaults",
    (char *) "-device",
    (char *) "{\"driver\":\"pcie-root-port\",\"id\":\"a\"}",
    (char *) "-device",
    (char *) "{\"driver\":\"virtio-blk-pci-non-transitional\"}",
    (char *) "-blockdev",
    (char *) "{\"driver\":\"file\",\"filename\":\"x\"}",
    (char *) "-blockdev",
    (char *) "{\"node-name\":\"f\",\"driver\":\"raw\"}",
    (char *) "-blockdev",
    (char *) "{\"node-name\":\"g\",\"read-only\":true,\"driver\":\"vmdk\"}",
    (char *) "-device",
    (char *) "vhost-vsock-pci-non-transitional,guest-cid=5",
    (char *) "-device",
    (char *) "{\"driver\":\"isa-serial\"}",
    NULL,
  };
  const DnGuestInfo info = { .transport = DN_TRANSPORT_VSOCK,
                             .accelerator = DN_ACCELERATOR_KVM,
                             .spare_disks = 1,
                             .memory_bytes = 256 << 20 };
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autoptr (GPtrArray) lines = NULL;

  dn_verify_promise_qemu (promises, &info);
  dn_host_facts_read_qemu (facts, arguments);
  lines = dn_verify_judge (promises, facts);
  for (guint i = 0; i < lines->len; i++)
    {
      const DnVerifyLine *line = lines->pdata[i];
      /* There is no -sandbox, and no file has been looked at. */
      DnVerdict wanted = g_str_equal (line->control, "qemu.sandbox")
                                 || g_str_equal (line->control, "qemu.disk-files")
                             ? DN_VERDICT_UNKNOWN
                             : DN_VERDICT_OK;

      if (!g_str_has_prefix (line->control, "qemu."))
        continue;
      g_test_message ("%s: %s", line->control, line->actual);
      g_assert_cmpint (line->verdict, ==, wanted);
    }
}

static void
write_file (const char *path, const char *text, int mode)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (chmod (path, (mode_t) mode), ==, 0);
}

static void
test_a_disk_is_all_the_files_it_consists_of (void)
{
  g_autofree char *top = g_dir_make_tmp ("dn-verify-XXXXXX", NULL);
  g_autofree char *disk = g_build_filename (top, "disk.vmdk", NULL);
  g_autofree char *a = g_build_filename (top, "a", NULL);
  g_autofree char *b = g_build_filename (top, "b", NULL);
  g_autofree char *found = NULL, *itself = NULL;

  write_file (a, "a", 0444);
  write_file (b, "b", 0444);
  write_file (disk, "version=1\nRW 8 FLAT \"a\" 0\nRW 8 FLAT \"./b\" 0\n", 0444);
  g_assert_null (dn_host_disk_find_unprotected (disk, getuid ()));
  g_assert_cmpint (chmod (b, 0464), ==, 0);
  found = dn_host_disk_find_unprotected (disk, getuid ());
  g_assert_true (g_str_has_suffix (found, "/b"));
  g_assert_cmpint (chmod (b, 0444), ==, 0);
  g_assert_cmpint (chmod (disk, 0446), ==, 0);
  itself = dn_host_disk_find_unprotected (disk, getuid ());
  g_assert_cmpstr (itself, ==, disk);
  g_assert_cmpint (unlink (a) + unlink (b) + unlink (disk) + rmdir (top), ==, 0);
}

/* In the child of the test below. */
static void *
be_one_thread (void *data)
{
  const int *ready = data;

  if (ready[0] == 1)
    (void) prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  (void) !write (ready[1], "x", 1);
  while (pause () < 0)
    continue;
  return NULL;
}

_Noreturn static void
leave_threads (int ready)
{
  static int tight[2], loose[2];
  pthread_t threads[2];

  tight[0] = 1;
  tight[1] = loose[1] = ready;
  if (pthread_create (&threads[0], NULL, be_one_thread, tight) != 0
      || pthread_create (&threads[1], NULL, be_one_thread, loose) != 0)
    _exit (1);
  pthread_exit (NULL);
}

static gboolean
main_thread_has_ended (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);
  g_autofree char *status = NULL;

  g_assert_true (g_file_get_contents (path, &status, NULL, NULL));
  return strstr (status, "State:\tZ") != NULL;
}

static void
test_threads_are_looked_at_behind_one_that_ended (void)
{
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (GPtrArray) lines = NULL;
  char bytes[2];
  int ready[2];
  pid_t child;

  g_assert_cmpint (pipe (ready), ==, 0);
  child = fork ();
  if (child == 0)
    leave_threads (ready[1]);
  g_assert_cmpint (child, >, 0);
  for (gsize i = 0; i < sizeof bytes; i++)
    g_assert_cmpint (read (ready[0], &bytes[i], 1), ==, 1);
  while (!main_thread_has_ended (child))
    g_usleep (1000);
  dn_host_facts_add_process (facts, child, NULL);
  dn_verify_facts_add (facts, DN_FACT_COMPLETE, "yes");
  dn_verify_promise (promises, "no_new_privs", "R3.4", DN_HOW_EQUAL, "1");
  /* It made no namespaces; the dead thread is in none any more. */
  dn_verify_promise (promises, "namespace.net", "R2.2", DN_HOW_EQUAL, "the host's");
  lines = dn_verify_judge (promises, facts);
  g_assert_cmpint (((DnVerifyLine *) lines->pdata[0])->verdict, ==, DN_VERDICT_DIFFERS);
  g_assert_cmpuint (dn_verify_facts_find (facts, "no_new_privs")->len, ==, 2);
  g_assert_cmpint (((DnVerifyLine *) lines->pdata[1])->verdict, ==, DN_VERDICT_OK);
  g_assert_cmpuint (
      ((const DnVerifyFact *) dn_verify_facts_find (facts, "namespace.net")->pdata[0])->count, ==,
      2);
  (void) kill (child, SIGKILL);
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  (void) close (ready[0]);
  (void) close (ready[1]);
}

static void
test_what_a_session_does_not_promise_is_absent_and_never_kept (void)
{
  const DnGuestInfo info = { .uid = 200001, .gid = 200001, .host_limit_bytes = 1 << 30 };
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autoptr (GPtrArray) lines = NULL;
  guint absent = 0;

  dn_verify_promise_qemu (promises, &info);
  dn_verify_promise_qemu_of_session (promises);
  dn_verify_promise_publish_of_session (promises);
  dn_verify_facts_add (facts, "namespace.mnt", "own");
  dn_verify_facts_add (facts, "cgroup", "danchid's");
  dn_verify_facts_add (facts, "no_new_privs", "0");
  lines = dn_verify_judge (promises, facts);
  for (guint i = 0; i < lines->len; i++)
    {
      const DnVerifyLine *line = lines->pdata[i];

      if (line->verdict == DN_VERDICT_ABSENT)
        {
          g_assert_cmpstr (line->promised, ==, "nothing (session)");
          absent++;
        }
      /* Even where there happens to be more than nothing. */
      if (g_str_equal (line->control, "namespace.mnt"))
        g_assert_cmpint (line->verdict, ==, DN_VERDICT_ABSENT);
      if (g_str_equal (line->control, "no_new_privs"))
        g_assert_cmpint (line->verdict, ==, DN_VERDICT_DIFFERS);
      if (g_str_equal (line->control, "uid"))
        g_assert_cmpint (line->verdict, ==, DN_VERDICT_UNKNOWN);
    }
  /* namespace.mnt, label, cgroup, limit.memory, limit.processors, publish.mark */
  g_assert_cmpuint (absent, ==, 6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/verify/a-disk-is-all-the-files-it-consists-of",
                   test_a_disk_is_all_the_files_it_consists_of);
  g_test_add_func ("/verify/value", test_a_value_keeps_its_promise_or_not);
  g_test_add_func ("/verify/processes", test_one_bad_process_among_many_is_the_lines_verdict);
  g_test_add_func ("/verify/hostile", test_a_hostile_guest_gets_a_bounded_hearing);
  g_test_add_func ("/verify/silence", test_silence_is_unknown);
  g_test_add_func ("/verify/container", test_a_containers_document_is_its_promise);
  g_test_add_func ("/verify/processes-of-a-pod",
                   test_whose_processes_a_pods_container_is_among_is_promised);
  g_test_add_func ("/verify/capability", test_a_granted_capability_permits_its_attempts);
  g_test_add_func ("/verify/others", test_mounts_beside_the_promised_ones_are_named);
  g_test_add_func ("/verify/threads", test_threads_are_looked_at_behind_one_that_ended);
  g_test_add_func ("/verify/a card is one tap that qemu itself serves",
                   test_a_card_is_one_tap_that_qemu_itself_serves);
  g_test_add_func ("/verify/qemu", test_qemus_command_line_is_held_to_the_plan);
  g_test_add_func ("/verify/session",
                   test_what_a_session_does_not_promise_is_absent_and_never_kept);
  return g_test_run ();
}
