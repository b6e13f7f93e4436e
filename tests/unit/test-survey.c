/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/survey/*.c launcher/cli/answer.c launcher/cli/escape.c launcher/record/*.c
   launcher/common/*.c launcher/base/*.c protocol/*.c */
/* The survey of a host, on trees of a few files that are a host each. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../launcher/cli/answer.h"
#include "../../launcher/survey/distribution.h"
#include "../../launcher/survey/end-of-life.h"
#include "../../launcher/survey/libvirt-settings.h"
#include "../../launcher/survey/listener.h"
#include "../../launcher/survey/lsm.h"
#include "../../launcher/survey/machine.h"
#include "../../launcher/survey/memory.h"
#include "../../launcher/survey/processor.h"
#include "../../launcher/survey/record-state.h"
#include "../../launcher/survey/root-file.h"
#include "../../launcher/survey/runtime.h"
#include "../../launcher/survey/service.h"
#include "../../launcher/survey/survey.h"

#define CPU "/sys/devices/system/cpu/"

/* (transfer full): an empty host */
static char *
make_host (void)
{
  g_autoptr (GError) error = NULL;
  char *root = g_dir_make_tmp ("danchi-survey-XXXXXX", &error);

  g_assert_no_error (error);
  return root;
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) directory
      = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *below = g_build_filename (path, name, NULL);

      remove_tree (below);
    }
  g_assert_cmpint (remove (path), ==, 0);
}

static void
end_host (char *root)
{
  remove_tree (root);
  g_free (root);
}

/* (transfer full): @path below @root, in a directory that is there */
static char *
prepare (const char *root, const char *path)
{
  char *full = g_strconcat (root, path, NULL);
  g_autofree char *directory = g_path_get_dirname (full);

  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  return full;
}

static void
put_bytes (const char *root, const char *path, const char *bytes, gssize size)
{
  g_autofree char *full = prepare (root, path);

  g_assert_true (g_file_set_contents (full, bytes, size, NULL));
}

static void
put (const char *root, const char *path, const char *text)
{
  put_bytes (root, path, text, -1);
}

static void
put_link (const char *root, const char *path, const char *target)
{
  g_autofree char *full = prepare (root, path);

  g_assert_cmpint (symlink (target, full), ==, 0);
}

static void
put_socket (const char *root, const char *path, guint mode)
{
  g_autofree char *full = prepare (root, path);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpuint (strlen (full), <, sizeof address.sun_path);
  g_strlcpy (address.sun_path, full, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (chmod (full, mode), ==, 0);
  close (fd);
}

/* @command: words with a blank between; @descriptor: what its descriptor 3 is, or NULL */
static void
put_process (const char *root, gint pid, guint uid, const char *program, const char *command,
             const char *descriptor)
{
  g_autofree char *directory = g_strdup_printf ("/proc/%d", pid);
  g_autofree char *comm = g_strconcat (directory, "/comm", NULL);
  g_autofree char *status = g_strconcat (directory, "/status", NULL);
  g_autofree char *cmdline = g_strconcat (directory, "/cmdline", NULL);
  g_autofree char *exe = g_strconcat (directory, "/exe", NULL);
  g_autofree char *fd = g_strconcat (directory, "/fd/3", NULL);
  g_autofree char *base = g_path_get_basename (program);
  g_autofree char *status_text
      = g_strdup_printf ("Name:\t%s\nUid:\t%u\t%u\t%u\t%u\n", base, uid, uid, uid, uid);
  g_autofree char *words = g_strdup (command);
  gsize size = strlen (words);

  for (gsize i = 0; i < size; i++)
    words[i] = words[i] == ' ' ? '\0' : words[i];
  put (root, comm, base);
  put (root, status, status_text);
  put_bytes (root, cmdline, words, (gssize) size + 1);
  put_link (root, exe, program);
  if (descriptor != NULL)
    put_link (root, fd, descriptor);
}

/* The member @path ("a.b") as JSON. (transfer full) */
static char *
show (JsonObject *object, const char *path)
{
  g_auto (GStrv) names = g_strsplit (path, ".", -1);
  guint i;

  for (i = 0; names[i + 1] != NULL; i++)
    object = dn_answer_object (object, names[i]);
  g_assert_true (json_object_has_member (object, names[i]));
  return json_to_string (json_object_get_member (object, names[i]), FALSE);
}

#define assert_member(object, path, wanted)                                                        \
  do                                                                                               \
    {                                                                                              \
      g_autofree char *found_ = show (object, path);                                               \
      g_assert_cmpstr (found_, ==, wanted);                                                        \
    }                                                                                              \
  while (0)

static char *
show_list (JsonArray *list)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);

  json_node_set_array (node, list);
  return json_to_string (node, FALSE);
}

static void
test_end_of_life (void)
{
  static const struct
  {
    const char *release;
    const char *today;
    const char *end;
    const char *is_over;
  } cases[] = {
    { "ID=debian\nVERSION_ID=\"12\"\n", "2028-06-30", "\"2028-06-30\"", "false" },
    { "ID=debian\nVERSION_ID=\"12\"\n", "2028-07-01", "\"2028-06-30\"", "true" },
    { "ID=debian\nVERSION_ID=\"1\"\n", "2028-07-01", "null", "null" },
    { "ID=debian\n", "2028-07-01", "null", "null" },
    { "ID='alpine'\nVERSION_ID=3.19.1\n", "2026-01-01", "\"2025-11-01\"", "true" },
    { "ID=\"rhel\"\nVERSION_ID=\"9.4\"\n", "2026-01-01", "\"2032-05-31\"", "false" },
    { "ID=\"opensuse-leap\"\nVERSION_ID=\"15.6\"\n", "2026-01-01", "\"2026-04-30\"", "false" },
    { "ID=ubuntu\nVERSION_ID=\"24.04\"\n", "2026-01-01", "\"2029-05-31\"", "false" },
    { "ID=plan9\nVERSION_ID=4\n", "2026-01-01", "null", "null" },
    { "", "2026-01-01", "null", "null" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char *root = make_host ();
      g_autoptr (JsonObject) facts = NULL;

      put (root, "/etc/os-release", cases[i].release);
      facts = dn_distribution_read (root, cases[i].today);
      assert_member (facts, "end_of_life", cases[i].end);
      assert_member (facts, "is_over", cases[i].is_over);
      end_host (root);
    }
}

static void
test_every_distribution_is_in_the_table (void)
{
  static const char *const known[][2]
      = { { "debian", "13" },    { "ubuntu", "22.04" }, { "fedora", "43" },
          { "rhel", "8.10" },    { "centos", "9" },     { "almalinux", "9.5" },
          { "rocky", "10.0" },   { "sles", "15.7" },    { "opensuse-leap", "16.0" },
          { "alpine", "3.22.0" } };

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    {
      const char *date = dn_end_of_life_find (known[i][0], known[i][1]);

      g_assert_true (date != NULL
                     && g_regex_match_simple ("^20[0-9]{2}-[01][0-9]-[0-3][0-9]$", date, 0, 0));
    }
}

static void
test_processor (void)
{
  char *root = make_host ();
  g_autoptr (JsonObject) facts = NULL;

  put (root, "/proc/cpuinfo", "processor\t: 0\nmodel name\t: A Processor \033[1m\nflags\t: x\n");
  put (root, CPU "smt/control", "notsupported\n");
  put (root, CPU "vulnerabilities/meltdown", "Mitigation: PTI\n");
  put (root, CPU "vulnerabilities/mds", "Vulnerable: Clear CPU buffers attempted, no microcode\n");
  put (root, CPU "vulnerabilities/itlb_multihit", "KVM: Vulnerable\n");
  facts = dn_processor_read (root);
  assert_member (facts, "model", "\"A Processor ?[1m\"");
  assert_member (facts, "smt", "\"notsupported\"");
  assert_member (
      facts, "vulnerabilities",
      "[{\"name\":\"itlb_multihit\",\"state\":\"KVM: Vulnerable\",\"is_vulnerable\":true},"
      "{\"name\":\"mds\",\"state\":\"Vulnerable: Clear CPU buffers attempted, no microcode\","
      "\"is_vulnerable\":true},"
      "{\"name\":\"meltdown\",\"state\":\"Mitigation: PTI\",\"is_vulnerable\":false}]");
  end_host (root);
}

static void
test_an_empty_host_knows_nothing (void)
{
  char *root = make_host ();
  g_autoptr (JsonObject) cpu = dn_processor_read (root);
  g_autoptr (JsonObject) memory = dn_memory_read (root);
  g_autoptr (JsonObject) lsm = dn_lsm_read (root, 0);
  g_autoptr (DnProcessList) processes = dn_process_list_read (root);
  g_autoptr (JsonArray) listeners = dn_listener_read (root, processes);
  g_autoptr (JsonArray) runtimes = dn_runtime_read (root, processes);
  g_autoptr (JsonArray) settings = dn_libvirt_settings_read (root);

  assert_member (cpu, "model", "null");
  assert_member (cpu, "smt", "\"unknown\"");
  assert_member (cpu, "vulnerabilities", "[]");
  assert_member (memory, "swaps", "[]");
  assert_member (lsm, "active", "null");
  assert_member (lsm, "apparmor", "\"absent\"");
  assert_member (lsm, "selinux", "\"absent\"");
  g_assert_cmpuint (json_array_get_length (listeners), ==, 0);
  g_assert_cmpuint (json_array_get_length (runtimes), ==, 0);
  g_assert_cmpuint (json_array_get_length (settings), ==, 0);
  end_host (root);
}

static void
test_swap_is_encrypted_where_all_below_it_is (void)
{
  char *root = make_host ();
  g_autoptr (JsonObject) facts = NULL;

  put (root, "/sys/kernel/mm/ksm/run", "1\n");
  put (root, "/proc/swaps",
       "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
       "/dev/sda2  partition\t1000\t0\t-2\n/dev/dm-1  partition\t2000\t0\t-3\n"
       "/dev/dm-2  partition\t2000\t0\t-3\n/swap.img  file\t3000\t0\t-4\n"
       "/dev/zram0  partition\t4000\t0\t100\n");
  put (root, "/sys/block/dm-0/dm/uuid", "CRYPT-LUKS2-x-root\n");
  /* A logical volume on an encrypted disk, and one that is on a plain disk as well. */
  put (root, "/sys/block/dm-1/dm/uuid", "LVM-x\n");
  put (root, "/sys/block/dm-1/slaves/dm-0/x", "");
  put (root, "/sys/block/dm-2/dm/uuid", "LVM-y\n");
  put (root, "/sys/block/dm-2/slaves/dm-0/x", "");
  put (root, "/sys/block/dm-2/slaves/sda3/x", "");
  facts = dn_memory_read (root);
  assert_member (facts, "ksm", "true");
  assert_member (facts, "swap_bytes", "12288000");
  assert_member (facts, "swaps",
                 "[{\"name\":\"/dev/sda2\",\"bytes\":1024000,\"is_encrypted\":false},"
                 "{\"name\":\"/dev/dm-1\",\"bytes\":2048000,\"is_encrypted\":true},"
                 "{\"name\":\"/dev/dm-2\",\"bytes\":2048000,\"is_encrypted\":false},"
                 "{\"name\":\"/swap.img\",\"bytes\":3072000,\"is_encrypted\":null},"
                 "{\"name\":\"/dev/zram0\",\"bytes\":4096000,\"is_encrypted\":null}]");
  end_host (root);
}

static void
test_lsm (void)
{
  static const struct
  {
    const char *lsm, *enabled, *enforce, *config;
    const char *apparmor, *selinux;
  } cases[] = {
    { "lockdown,capability,apparmor", "Y", NULL, NULL, "\"enforcing\"", "\"absent\"" },
    { "lockdown,capability", "Y", NULL, NULL, "\"off\"", "\"absent\"" },
    { "lockdown,capability", "N", NULL, NULL, "\"off\"", "\"absent\"" },
    { NULL, "Y", NULL, NULL, "\"enforcing\"", "\"absent\"" },
    { "capability,selinux", NULL, "1", "SELINUX=enforcing", "\"absent\"", "\"enforcing\"" },
    { "capability,selinux", NULL, "0", "SELINUX=permissive", "\"absent\"", "\"permissive\"" },
    { "capability", NULL, NULL, "SELINUX=disabled", "\"absent\"", "\"off\"" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char *root = make_host ();
      g_autoptr (JsonObject) facts = NULL;

      if (cases[i].lsm != NULL)
        put (root, "/sys/kernel/security/lsm", cases[i].lsm);
      if (cases[i].enabled != NULL)
        put (root, "/sys/module/apparmor/parameters/enabled", cases[i].enabled);
      if (cases[i].enforce != NULL)
        put (root, "/sys/fs/selinux/enforce", cases[i].enforce);
      if (cases[i].config != NULL)
        put (root, "/etc/selinux/config", cases[i].config);
      put (root, "/proc/42/attr/current", "danchid (enforce)\n");
      facts = dn_lsm_read (root, 42);
      assert_member (facts, "apparmor", cases[i].apparmor);
      assert_member (facts, "selinux", cases[i].selinux);
      assert_member (facts, "danchid_label", "\"danchid (enforce)\"");
      end_host (root);
    }
}

static void
test_libvirt_settings (void)
{
  char *root = make_host ();
  g_autoptr (JsonArray) settings = NULL;
  g_autofree char *found = NULL;

  put (root, "/etc/libvirt/qemu.conf",
       "# user = \"commented\"\n  security_driver = [ \"apparmor\", # first\n  \"none\" ]\n"
       "user = \"root\" # why\nuser = \"second\"\nseccomp_sandbox=0\n"
       "users = 1\nvnc_listen = '0.0.0.0'\ngroup =\nclear_emulator_capabilities = 1 # yes\n");
  put (root, "/etc/libvirt/libvirtd.conf", "listen_tcp = 1\nauth_tcp = \"none\"");
  settings = dn_libvirt_settings_read (root);
  found = show_list (settings);
#define QEMU ",\"file\":\"/etc/libvirt/qemu.conf\"}"
#define LIBVIRTD ",\"file\":\"/etc/libvirt/libvirtd.conf\"}"
  g_assert_cmpstr (found, ==,
                   "[{\"key\":\"security_driver\",\"value\":\"apparmor none\"" QEMU
                   ",{\"key\":\"user\",\"value\":\"root\"" QEMU
                   ",{\"key\":\"group\",\"value\":\"\"" QEMU
                   ",{\"key\":\"clear_emulator_capabilities\",\"value\":\"1\"" QEMU
                   ",{\"key\":\"seccomp_sandbox\",\"value\":\"0\"" QEMU
                   ",{\"key\":\"vnc_listen\",\"value\":\"0.0.0.0\"" QEMU
                   ",{\"key\":\"listen_tcp\",\"value\":\"1\"" LIBVIRTD
                   ",{\"key\":\"auth_tcp\",\"value\":\"none\"" LIBVIRTD "]");
  end_host (root);
}

static void
test_machines_that_libvirt_does_not_know (void)
{
  static const char known[]
      = "[{\"name\":\"danchi-x\",\"pid\":100,\"is_danchi\":true,\"source\":\"libvirt\"}]";
  static const struct
  {
    gint pid;
    const char *name, *hypervisor;
  } wanted[] = { { 101, "web", "qemu" },
                 { 102, "fc1", "firecracker" },
                 { 103, "harmless", "unknown" },
                 { 105, "plain", "qemu" } };
  char *root = make_host ();
  g_autoptr (JsonNode) node = json_from_string (known, NULL);
  JsonArray *machines = json_node_get_array (node);
  g_autoptr (DnProcessList) list = NULL;

  put_process (root, 100, 70001, "/usr/bin/qemu-system-x86_64", "qemu -name guest=danchi-x", NULL);
  put_process (root, 101, 0, "/usr/bin/qemu-system-x86_64 (deleted)",
               "qemu -name guest=web,debug-threads=on -m 1", NULL);
  put_process (root, 102, 1000, "/opt/firecracker", "firecracker --id fc1", NULL);
  /* Whatever it calls itself: KVM's machine is among its descriptors. */
  put_process (root, 103, 1000, "/tmp/harmless", "harmless", "anon_inode:kvm-vm");
  put_process (root, 104, 1000, "/usr/bin/qemu-img", "qemu-img convert", NULL);
  put_process (root, 105, 1000, "/usr/bin/qemu-system-aarch64", "qemu -name plain", NULL);
  list = dn_process_list_read (root);
  dn_machine_add_unknown (machines, list);
  g_assert_cmpuint (json_array_get_length (machines), ==, 1 + G_N_ELEMENTS (wanted));
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    {
      JsonObject *machine = dn_answer_nth (machines, i + 1);

      g_assert_cmpint (dn_answer_int (machine, "pid", 0), ==, wanted[i].pid);
      g_assert_cmpstr (dn_answer_text (machine, "name"), ==, wanted[i].name);
      g_assert_cmpstr (dn_answer_text (machine, "hypervisor"), ==, wanted[i].hypervisor);
      g_assert_cmpstr (dn_answer_text (machine, "source"), ==, "process");
    }
  end_host (root);
}

static void
test_runtimes (void)
{
  static const struct
  {
    const char *name, *kind, *path, *mode;
  } wanted[] = {
    { "docker", "process", "/usr/bin/dockerd", "" },
    { "containerd-shim", "process", "/usr/bin/containerd-shim-runc-v2", "" },
    { "conmon", "process", "/usr/bin/conmon", "" },
    { "systemd-nspawn", "process", "/usr/bin/systemd-nspawn", "" },
    { "pid namespace", "process", "/usr/sbin/nginx", "" },
    { "docker", "socket", "/run/docker.sock", "0666" },
    { "podman", "socket", "/run/user/1000/podman/podman.sock", "0600" },
  };
  char *root = make_host ();
  g_autoptr (DnProcessList) list = NULL;
  g_autoptr (JsonArray) runtimes = NULL;

  put_process (root, 10, 0, "/usr/bin/dockerd", "dockerd", NULL);
  put_process (root, 11, 0, "/usr/bin/containerd-shim-runc-v2", "containerd-shim", NULL);
  put_process (root, 12, 0, "/usr/bin/containerd-shim-danchi-v2", "containerd-shim", NULL);
  put_process (root, 13, 1000, "/usr/bin/conmon", "conmon", NULL);
  put_process (root, 14, 0, "/usr/bin/systemd-nspawn", "systemd-nspawn", NULL);
  put_process (root, 15, 0, "/usr/bin/dockerd-not", "x", NULL);
  put_socket (root, "/run/docker.sock", 0666);
  put_socket (root, "/run/user/1000/podman/podman.sock", 0600);
  put_link (root, "/proc/self/ns/pid", "pid:[1]");
  put_link (root, "/proc/10/ns/pid", "pid:[1]");
  put_process (root, 16, 0, "/usr/sbin/nginx", "nginx", NULL);
  put_link (root, "/proc/16/ns/pid", "pid:[2]");
  put_process (root, 17, 33, "/usr/sbin/nginx", "nginx", NULL);
  put_link (root, "/proc/17/ns/pid", "pid:[2]");
  /* No socket, so nobody listens there. */
  put (root, "/run/podman/podman.sock", "");
  list = dn_process_list_read (root);
  runtimes = dn_runtime_read (root, list);
  g_assert_cmpuint (json_array_get_length (runtimes), ==, G_N_ELEMENTS (wanted));
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    {
      JsonObject *runtime = dn_answer_nth (runtimes, i);

      g_assert_cmpstr (dn_answer_text (runtime, "name"), ==, wanted[i].name);
      g_assert_cmpstr (dn_answer_text (runtime, "kind"), ==, wanted[i].kind);
      g_assert_cmpstr (dn_answer_text (runtime, "path"), ==, wanted[i].path);
      g_assert_cmpstr (dn_answer_text (runtime, "mode"), ==, wanted[i].mode);
    }
  end_host (root);
}

#define TCP_HEAD                                                                                   \
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "    \
  "inode\n"
#define REST " 00000000:00000000 00:00000000 00000000  "

static void
test_listeners (void)
{
  static const struct
  {
    const char *protocol, *address;
    gint port;
    const char *exposure, *process, *service;
  } wanted[] = {
    { "tcp", "127.0.0.1", 2375, "loopback", "dockerd", "docker API" },
    { "tcp", "0.0.0.0", 22, "all", "sshd", "" },
    { "tcp", "192.168.1.2", 16379, "address", "redis-server", "redis" },
    { "tcp6", "::", 80, "all", "", "" },
    { "tcp6", "::1", 631, "loopback", "", "" },
    { "tcp6", "::ffff:127.0.0.1", 8080, "loopback", "", "" },
    { "udp", "0.0.0.0", 68, "all", "", "" },
  };
  char *root = make_host ();
  g_autoptr (DnProcessList) list = NULL;
  g_autoptr (JsonArray) listeners = NULL;

  put_process (root, 1, 0, "/usr/lib/systemd/systemd", "init", "socket:[100]");
  put_process (root, 20, 0, "/usr/bin/dockerd", "dockerd", "socket:[100]");
  put_process (root, 21, 0, "/usr/sbin/sshd", "sshd", "socket:[101]");
  put_process (root, 22, 107, "/usr/bin/redis-server", "redis-server", "socket:[102]");
  put (root, "/proc/net/tcp",
       TCP_HEAD "   0: 0100007F:0947 00000000:0000 0A" REST "   0        0 100 1 x 100 0 0 10 0\n"
                "   1: 00000000:0016 00000000:0000 0A" REST "   0        0 101 1 x 100 0 0 10 0\n"
                "   2: 0201A8C0:3FFB 00000000:0000 0A" REST " 107        0 102 1 x 100 0 0 10 0\n"
                "   3: 0201A8C0:C350 0301A8C0:0050 01" REST
                "   0        0 103 1 x 20 4 30 10 -1\n");
  put (root, "/proc/net/tcp6",
       TCP_HEAD
       "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A" REST
       "33 0 200 1 x\n"
       "   1: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A" REST
       "0 0 201 1 x\n"
       "   2: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A" REST
       "0 0 202 1 x\n"
       "   3: nonsense\n   4: 00:0000\n");
  put (root, "/proc/net/udp",
       TCP_HEAD "  10: 00000000:0044 00000000:0000 07" REST "   0        0 300 2 x 0\n"
                "  11: 0201A8C0:0044 0301A8C0:0043 01" REST "   0        0 301 2 x 0\n");
  put (root, "/proc/net/unix",
       "Num       RefCount Protocol Flags    Type St Inode Path\n"
       "0000000000000000: 00000002 00000000 00010000 0001 01 102 /run/redis/redis.sock\n"
       "0000000000000000: 00000003 00000000 00000000 0001 03 401 /run/connected\n"
       "0000000000000000: 00000002 00000000 00010000 0001 01 402 @abstract\n");
  list = dn_process_list_read (root);
  listeners = dn_listener_read (root, list);
  g_assert_cmpuint (json_array_get_length (listeners), ==, G_N_ELEMENTS (wanted) + 2);
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    {
      JsonObject *listener = dn_answer_nth (listeners, i);

      g_assert_cmpstr (dn_answer_text (listener, "protocol"), ==, wanted[i].protocol);
      g_assert_cmpstr (dn_answer_text (listener, "address"), ==, wanted[i].address);
      g_assert_cmpint (dn_answer_int (listener, "port", 0), ==, wanted[i].port);
      g_assert_cmpstr (dn_answer_text (listener, "exposure"), ==, wanted[i].exposure);
      g_assert_cmpstr (dn_answer_text (listener, "process"), ==, wanted[i].process);
      g_assert_cmpstr (dn_answer_text (listener, "service"), ==, wanted[i].service);
    }
  g_assert_cmpint (dn_answer_int (dn_answer_nth (listeners, 2), "uid", 0), ==, 107);
  assert_member (dn_answer_nth (listeners, 7), "path", "\"/run/redis/redis.sock\"");
  assert_member (dn_answer_nth (listeners, 7), "pid", "22");
  assert_member (dn_answer_nth (listeners, 8), "path", "\"@abstract\"");
  assert_member (dn_answer_nth (listeners, 8), "uid", "null");
  end_host (root);
}

static void
test_services (void)
{
  static const struct
  {
    guint port;
    const char *process, *name;
  } cases[] = {
    { 2375, NULL, "docker API" },
    { 2380, "x", "etcd" },
    { 8080, "nginx", NULL },
    { 8080, NULL, NULL },
    { 8080, "kube-apiserver", "kube-apiserver (insecure port)" },
    { 9090, "prometheus", "prometheus" },
    { 5901, "qemu-system-x86_64", "VNC console" },
    { 5901, "x", NULL },
    { 12345, "redis-server", "redis" },
    { 22, "sshd", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const DnService *service = dn_service_find (cases[i].port, cases[i].process);

      g_assert_cmpstr (service != NULL ? service->name : NULL, ==, cases[i].name);
      if (service != NULL)
        g_assert_cmpstr (dn_service_find_name (cases[i].name)->name, ==, cases[i].name);
    }
  g_assert_null (dn_service_find_name ("x"));
}

/* What processes and files call themselves must not reach a terminal or break a line. */
static void
test_names_are_cleaned (void)
{
  char *root = make_host ();
  g_autoptr (DnProcessList) list = NULL;
  const DnProcess *process;

  put_process (root, 30, 0, "/tmp/a\033]0;x\a\nb\xff", "x", NULL);
  list = dn_process_list_read (root);
  process = list->processes->pdata[0];
  g_assert_cmpstr (process->program, ==, "a?]0;x??b\357\277\275");
  end_host (root);
}

static void
test_what_is_no_file_is_not_read (void)
{
  char *root = make_host ();
  g_autofree char *pipe = prepare (root, "/proc/swaps");
  g_autoptr (JsonObject) facts = NULL;
  g_autofree char *big = g_strnfill (2 * DN_ROOT_FILE_MAX_BYTES, 'x');
  g_autofree char *text = NULL;

  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  facts = dn_memory_read (root);
  assert_member (facts, "swaps", "[]");
  put (root, "/big", big);
  text = dn_root_file_read (root, "/big", 100);
  g_assert_cmpuint (strlen (text), ==, 100);
  end_host (root);
}

/* What was changed is shown end to end, with a danchid that writes one. */
static void
test_a_record_that_cannot_be_read_is_not_known (void)
{
  g_autoptr (JsonObject) facts = dn_record_state_read ("/nonexistent/audit", "/nonexistent/head");
  g_autofree char *error = show (facts, "error");

  assert_member (facts, "is_whole", "null");
  assert_member (facts, "problems", "0");
  g_assert_nonnull (strstr (error, "/nonexistent/head"));
}

static void
test_a_document_is_whole (void)
{
  static const char *const members[]
      = { "host", "chain", "machines", "runtimes", "listeners", "contexts" };
  char *root = make_host ();
  g_autoptr (JsonNode) node = json_from_string (
      "{\"chain\":[{\"program\":\"danchi\",\"role\":\"client\"},{\"program\":\"danchid\",\"pid\":"
      "42}],\"contexts\":[{\"name\":\"acme\"},7],"
      "\"libvirt\":{\"version\":\"9.0.0\",\"qemu_version\":\"7.2.0\",\"uri\":\"qemu:///system\"}}",
      NULL);
  g_autoptr (GDateTime) now = g_date_time_new_from_iso8601 ("2026-11-29T22:40:00+01:00", NULL);
  g_autoptr (JsonObject) document = NULL;
  JsonArray *chain;

  put (root, "/proc/sys/kernel/hostname", "h1\n");
  put (root, "/proc/42/attr/current", "danchid (enforce)\n");
  put (root, "/proc/sys/kernel/osrelease", "6.1.0\n");
  document = dn_survey_make (root, now, json_node_get_object (node));
  assert_member (document, "format", "\"danchi-audit/1\"");
  assert_member (document, "generated", "\"2026-11-29T21:40:00Z\"");
  assert_member (document, "host.hostname", "\"h1\"");
  assert_member (document, "host.kernel.release", "\"6.1.0\"");
  assert_member (document, "host.libvirt.qemu_version", "\"7.2.0\"");
  assert_member (document, "host.lsm.danchid_label", "\"danchid (enforce)\"");
  assert_member (document, "contexts", "[{\"name\":\"acme\"}]");
  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    g_assert_true (json_object_has_member (document, members[i]));
  chain = dn_answer_array (document, "chain");
  g_assert_cmpuint (json_array_get_length (chain), ==, 2);
  g_assert_cmpstr (dn_answer_text (dn_answer_nth (chain, 0), "program"), ==, "danchi");
  g_assert_cmpint (dn_answer_int (dn_answer_nth (chain, 0), "pid", 0), ==, getpid ());
  g_assert_cmpuint (strlen (dn_answer_text (dn_answer_nth (chain, 0), "sha256")), ==, 64);
  end_host (root);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/survey/a distribution's end of life", test_end_of_life);
  g_test_add_func ("/survey/every distribution is in the table",
                   test_every_distribution_is_in_the_table);
  g_test_add_func ("/survey/processor", test_processor);
  g_test_add_func ("/survey/an empty host knows nothing", test_an_empty_host_knows_nothing);
  g_test_add_func ("/survey/swap is encrypted where all below it is",
                   test_swap_is_encrypted_where_all_below_it_is);
  g_test_add_func ("/survey/security modules", test_lsm);
  g_test_add_func ("/survey/settings of libvirt", test_libvirt_settings);
  g_test_add_func ("/survey/machines that libvirt does not know",
                   test_machines_that_libvirt_does_not_know);
  g_test_add_func ("/survey/runtimes", test_runtimes);
  g_test_add_func ("/survey/listeners", test_listeners);
  g_test_add_func ("/survey/services", test_services);
  g_test_add_func ("/survey/names are cleaned", test_names_are_cleaned);
  g_test_add_func ("/survey/what is no file is not read", test_what_is_no_file_is_not_read);
  g_test_add_func ("/survey/a record that cannot be read is not known",
                   test_a_record_that_cannot_be_read_is_not_known);
  g_test_add_func ("/survey/a document is whole", test_a_document_is_whole);
  return g_test_run ();
}
