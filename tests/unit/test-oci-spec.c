/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/pods/oci-*.c launcher/pods/pod-mount.c launcher/pods/pod-settings.c
 * launcher/pods/pod-facts.c launcher/pods/pod-size.c launcher/pods/pod-words.c
 * launcher/limits/guest-size.c
 * launcher/spec/*.c launcher/common/*.c launcher/base/network-rule.c launcher/base/public-address.c
 * launcher/base/fdpass.c protocol/*.c */
/* Packages: gio-unix-2.0 libseccomp */

/* tests/golden/pods/NAME.in.json holds {"config", "settings", "sandbox"}: containerd's config.json,
 * lines of [pods] in danchi.conf, and the sandbox's document; and "processes", where they are not
 * its own.  NAME.json is what the guest gets,
 * with the size of its guest; NAME.error the refusal. */
#include <errno.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/syscall.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/guest/share-server.h"
#include "../../launcher/pods/oci-spec.h"
#include "../../launcher/pods/pod-facts.h"
#include "../../launcher/pods/pod-size.h"
#include "../../launcher/pods/pod-words.h"
#include "../../launcher/spec/profile-store.h"
#include "../../launcher/spec/seccomp-build.h"
#include "../../launcher/spec/seccomp-filter.h"
#include "../../launcher/spec/seccomp-profile.h"
#include "golden.h"

#define DIRECTORY "tests/golden/pods/"
#define SANDBOX_ID "5a4db0c5"
#define FIRST_UID 100000

typedef struct
{
  JsonObject *config;
  JsonObject *sandbox;
  char *settings;
  char *processes;
} Case;

static void
case_read (const char *path, Case *ret_case)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  gsize size;
  const DnJsonField fields[] = { { "config", DN_JSON_OBJECT, TRUE, &ret_case->config },
                                 { "sandbox", DN_JSON_OBJECT, TRUE, &ret_case->sandbox },
                                 { "settings", DN_JSON_STRING, FALSE, &ret_case->settings },
                                 { "processes", DN_JSON_STRING, FALSE, &ret_case->processes },
                                 { NULL } };

  g_file_get_contents (path, &text, &size, &error);
  g_assert_no_error (error);
  /* As the shim reads what containerd writes. */
  root = dn_json_parse_unsigned (text, size, 1024 * 1024, path, &error);
  g_assert_no_error (error);
  dn_json_read (json_node_get_object (root), fields, path, &error);
  g_assert_no_error (error);
}

static void
read_settings (const char *text, DnPodSettings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_strconcat ("[pods]\n", text != NULL ? text : "", NULL);
  DnKey keys[DN_POD_KEYS + 1] = { 0 };

  dn_pod_settings_init (settings);
  dn_pod_settings_fill_keys (settings, keys);
  g_assert_true (dn_key_file_parse (file, strlen (file), "danchi.conf", keys, &error));
  g_assert_true (dn_pod_settings_check (settings, "danchi.conf", NULL, &error));
}

/* In the place of danchi-share: what the host of all cases has. */
static const struct
{
  const char *rest; /* the end of it */
  DnShareAnswer answer;
} hosts[] = {
  { "empty-dir/in-memory",
    { .is_directory = TRUE, .is_memory = TRUE, .owner_gid = 2000, .text = "/" } },
  { "empty-dir/limited",
    { .is_directory = TRUE,
      .is_memory = TRUE,
      .size_bytes = 16 * 1024 * 1024,
      .owner_gid = 3000,
      .text = "/" } },
  { "volume-subpaths/limited/c/0", { .is_directory = TRUE, .is_memory = TRUE, .text = "/a b/c" } },
  { "volume-subpaths/password/c/0", { .is_memory = TRUE, .text = "/..1/file" } },
  { "volume-subpaths/settings/c/0", { .is_directory = FALSE } },
  { "volume-subpaths/work/c/0", { .is_directory = TRUE } },
};

gboolean
dn_share_server_order (const DnShareOrder *order, int fd, const char *what,
                       DnShareAnswer *ret_answer, GError **error)
{
  g_assert_cmpint (order->verb, ==, DN_SHARE_LOOK);
  g_assert_cmpint (fd, ==, -1);
  g_assert_cmpuint (order->process.uid, ==, 200001);
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    if (g_str_has_suffix (order->source.rest, hosts[i].rest))
      {
        *ret_answer = hosts[i].answer;
        return TRUE;
      }
  if (g_str_has_suffix (order->source.rest, "empty-dir/password"))
    return dn_throw (error, DN_ERROR_NOT_FOUND, "%s: is not there", what);
  *ret_answer = (DnShareAnswer){ .is_directory = TRUE };
  return TRUE;
}

/* Asked for, and once more as a danchid does that reads what another one has asked. */
static void
look_for_all (GPtrArray *mounts)
{
  g_auto (DnPodFacts) facts = { NULL };
  g_autoptr (GError) error = NULL;

  g_assert_true (dn_pod_facts_ask (mounts, 200001, &facts, &error));
  g_assert_no_error (error);
  dn_pod_facts_apply (&facts, mounts);
  dn_pod_facts_apply (&facts, mounts);
}

static JsonNode *
build_container (const DnOciConfig *config, const DnOciConfig *sandbox, const Case *c,
                 const DnPodSettings *settings, const DnPodSize *size, GError **error)
{
  static const char *const own[] = { "/etc/danchi", "/var/lib/danchi", "/run/danchi", NULL };
  const DnPodMountRules rules = { .sandbox_id = SANDBOX_ID,
                                  .pod_uid = dn_pod_word (sandbox, DN_POD_WORD_UID),
                                  .settings = settings,
                                  .own = own,
                                  .file = "danchi.conf" };
  const DnOciRoom room = { size->memory_bytes, size->vcpus };
  g_autoptr (DnContainerOptions) options = dn_oci_options_new (config, &room);
  g_autoptr (DnProfile) profile = dn_profile_load ("standard", NULL, error);
  g_autoptr (GPtrArray) mounts = dn_pod_mounts_plan (config, &rules, "container 'c'", error);
  g_auto (GStrv) relaxations = NULL;
  DnOciSpecPlan plan = { .config = config,
                         .options = options,
                         .profile = profile,
                         .mounts = mounts,
                         .pod_sysctls = sandbox->sysctls,
                         .hostname = "web",
                         .processes = c->processes,
                         .first_uid = FIRST_UID,
                         .root_share = 32 };

  if (mounts == NULL
      || !dn_oci_admit (config, settings, profile, "danchi.conf", "container 'c'", &relaxations,
                        error))
    return NULL;
  look_for_all (mounts);
  return dn_oci_spec_build (&plan);
}

static JsonNode *
build (const Case *c, DnPodSize *ret_size, GError **error)
{
  DnPodSettings settings;
  g_autoptr (DnOciConfig) sandbox = dn_oci_config_read (c->sandbox, "pod 'p'", error);
  g_autoptr (DnOciConfig) config
      = sandbox != NULL ? dn_oci_config_read (c->config, "container 'c'", error) : NULL;
  JsonNode *spec = NULL;

  read_settings (c->settings, &settings);
  if (config != NULL && dn_pod_size (sandbox, &settings, "danchi.conf", ret_size, error))
    spec = build_container (config, sandbox, c, &settings, ret_size, error);
  dn_pod_settings_clear (&settings);
  return spec;
}

static gboolean
has_option (JsonObject *mount, const char *option)
{
  JsonArray *options = json_object_get_array_member (mount, "options");

  for (guint i = 0; i < json_array_get_length (options); i++)
    if (g_str_equal (json_array_get_string_element (options, i), option))
      return TRUE;
  return FALSE;
}

/* Whatever containerd asked for, this holds of every container. */
static void
check (JsonObject *spec)
{
  JsonObject *process = json_object_get_object_member (spec, "process");
  JsonObject *linux_part = json_object_get_object_member (spec, "linux");
  JsonArray *mounts = json_object_get_array_member (spec, "mounts");
  JsonObject *annotations = json_object_get_object_member (spec, "annotations");
  gboolean has_own_processes = !json_object_has_member (annotations, "org.danchi.processes");
  JsonObject *mapping;

  g_assert_true (json_object_get_boolean_member (process, "noNewPrivileges"));
  for (guint i = 0; i < json_array_get_length (mounts); i++)
    {
      JsonObject *mount = json_array_get_object_element (mounts, i);
      const char *type = json_object_get_string_member (mount, "type");

      g_assert_true (has_option (mount, "nosuid"));
      g_assert_true (has_option (mount, "nodev") || g_str_equal (type, "devpts"));
      g_assert_cmpstr (type, !=, "bind");
      if (!g_str_equal (type, "pod"))
        g_assert_cmpstr (json_object_get_string_member (mount, "source"), ==, type);
    }
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (linux_part, "namespaces")),
                    ==, has_own_processes ? 7 : 6);
  mapping
      = json_array_get_object_element (json_object_get_array_member (linux_part, "uidMappings"), 0);
  g_assert_cmpint (json_object_get_int_member (mapping, "hostID"), ==, FIRST_UID);
  g_assert_false (json_object_has_member (spec, "hooks"));
  g_assert_false (json_object_has_member (linux_part, "devices"));
}

static void
test_golden (gconstpointer data)
{
  const char *name = data;
  g_autofree char *input = g_strconcat (DIRECTORY, name, ".in.json", NULL);
  g_autofree char *output = NULL, *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  DnPodSize size = { 0 };
  Case c = { NULL };

  case_read (input, &c);
  node = build (&c, &size, &error);
  if (node != NULL)
    {
      g_autofree char *json = dn_json_to_text (node, TRUE);

      g_assert_no_error (error);
      check (json_node_get_object (node));
      output = g_strconcat (DIRECTORY, name, ".json", NULL);
      text = g_strdup_printf ("%s\nguest: %" G_GUINT64_FORMAT " MiB, %" G_GUINT64_FORMAT "\n", json,
                              size.memory_bytes >> 20, size.vcpus);
    }
  else
    {
      g_assert_nonnull (error);
      output = g_strconcat (DIRECTORY, name, ".error", NULL);
      text = g_strdup_printf ("%s: %s\n", dn_error_code_to_name ((DnError) error->code),
                              error->message);
    }
  golden_compare (output, text);
  g_clear_pointer (&c.config, json_object_unref);
  g_clear_pointer (&c.sandbox, json_object_unref);
  g_free (c.settings);
  g_free (c.processes);
}

static void
test_a_wrong_type_is_refused_wherever_it_stands (void)
{
  static const char *const bad[] = {
    "{'process': []}",
    "{'process': {'args': 'sh'}}",
    "{'process': {'args': [1]}}",
    "{'process': {'user': {'uid': '0'}}}",
    "{'process': {'user': {'uid': -1}}}",
    "{'process': {'user': {'uid': 65536}}}",
    "{'process': {'user': {'additionalGids': [0.5]}}}",
    "{'process': {'user': {'umask': 512}}}",
    "{'process': {'cwd': 'relative'}}",
    "{'process': {'env': ['=x']}}",
    "{'process': {'capabilities': {'bounding': ['CAP_NOTHING']}}}",
    "{'process': {'capabilities': {'bounding': ['CHOWN']}}}",
    "{'process': {'rlimits': [{}]}}",
    "{'process': {'rlimits': [{'type': 'RLIMIT_RTPRIO', 'hard': 99, 'soft': 99}]}}",
    "{'root': 'rootfs'}",
    "{'root': {'readonly': 1}}",
    "{'hostname': 'a b'}",
    "{'mounts': {}}",
    "{'mounts': [1]}",
    "{'mounts': [{'destination': 'x'}]}",
    "{'mounts': [{'destination': '/a/../b'}]}",
    "{'annotations': {'a': 1}}",
    "{'hooks': {'prestart': [{'path': '/bin/x'}]}}",
    "{'linux': {'namespaces': [{}]}}",
    "{'linux': {'namespaces': [{'type': 'user'}]}}",
    "{'linux': {'sysctl': {'net.x': 1}}}",
    "{'linux': {'maskedPaths': ['relative']}}",
    "{'linux': {'resources': {'memory': {'limit': '1'}}}}",
    "{'linux': {'resources': {'cpu': {'period': -1}}}}",
    "{'linux': {'seccomp': []}}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *text = g_strdelimit (g_strdup (bad[i]), "'", '"');
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = dn_json_parse (text, strlen (text), 4096, "it", &error);

      g_assert_no_error (error);
      g_assert_null (dn_oci_config_read (json_node_get_object (node), "it", &error));
      g_assert_nonnull (error);
    }
}

/* As `mountPath` has them: the kubelet passes it on as it is written. */
static void
test_a_path_of_a_mount_may_be_written_in_more_than_one_way (void)
{
  static const struct
  {
    const char *written, *means;
  } paths[] = { { "/data", "/data" },
                { "/data/", "/data" },
                { "//data//", "/data" },
                { "/a//b/", "/a/b" },
                { "/./a/./b/.", "/a/b" },
                { "/.a/b./..c", "/.a/b./..c" },
                { "/dev/shm/", "/dev/shm" },
                { "/", "/" },
                { "//", "/" } };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *text = g_strdup_printf (
          "{\"linux\": {\"namespaces\": [{\"type\": \"network\"}, {\"type\": \"pid\"},"
          " {\"type\": \"ipc\"}]}, \"mounts\": [{\"destination\": \"%s\", \"source\": \"%s\","
          " \"options\": [\"bind\"]}]}",
          paths[i].written, paths[i].written);
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = dn_json_parse (text, strlen (text), 8192, "it", &error);
      g_autoptr (DnOciConfig) config = NULL;
      const DnOciMount *mount;

      g_assert_no_error (error);
      config = dn_oci_config_read (json_node_get_object (node), "it", &error);
      g_assert_no_error (error);
      mount = config->mounts->pdata[0];
      g_assert_cmpstr (mount->target, ==, paths[i].means);
      g_assert_cmpstr (mount->source, ==, paths[i].means);
    }
}

static char *
read_seccomp (const char *rules)
{
  g_autofree char *words = g_strdup_printf (
      "{'linux': {'namespaces': [{'type': 'network'}, {'type': 'pid'}, {'type': 'ipc'}],"
      " 'seccomp': {'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 38, 'syscalls': [%s]}}}",
      rules);
  g_autofree char *text = g_strdelimit (g_steal_pointer (&words), "'", '"');
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = dn_json_parse (text, strlen (text), 8192, "it", &error);
  g_autoptr (DnOciConfig) config = NULL;

  g_assert_no_error (error);
  config = dn_oci_config_read (json_node_get_object (node), "it", &error);
  g_assert_no_error (error);
  return g_steal_pointer (&config->seccomp_json);
}

/* Runtimes mean "or" by comparisons of one argument, and CRI-O's default says so of clone. */
static void
test_a_rule_with_more_than_one_comparison_of_an_argument_is_one_for_each (void)
{
  static const guint counts[] = { 1, 1, 1, 2, 0 };
  g_autofree char *text = read_seccomp (
      "{'names': ['clone'], 'action': 'SCMP_ACT_ALLOW', 'args': ["
      "{'index': 0, 'value': 1, 'op': 'SCMP_CMP_EQ'}, {'index': 0, 'value': 2, 'op': "
      "'SCMP_CMP_EQ'}, {'index': 1, 'value': 3, 'op': 'SCMP_CMP_EQ'}]},"
      "{'names': ['openat'], 'action': 'SCMP_ACT_ALLOW', 'args': ["
      "{'index': 0, 'value': 1, 'op': 'SCMP_CMP_EQ'}, {'index': 1, 'value': 2, 'op': "
      "'SCMP_CMP_EQ'}]}, {'names': ['read'], 'action': 'SCMP_ACT_ALLOW'}");
  g_autoptr (GError) error = NULL;
  g_autoptr (DnSeccompProfile) profile
      = dn_seccomp_profile_read (text, strlen (text), 0, "it", &error);

  g_assert_no_error (error);
  g_assert_cmpuint (profile->rules->len, ==, G_N_ELEMENTS (counts));
  for (guint i = 0; i < profile->rules->len; i++)
    g_assert_cmpuint (((DnSeccompRule *) profile->rules->pdata[i])->args_count, ==, counts[i]);
}

static guint32
ask (GBytes *filter, int number, guint64 first, guint64 second)
{
  const struct seccomp_data call
      = { .nr = number, .arch = AUDIT_ARCH_X86_64, .args = { first, second } };
  guint32 action = 0;

  g_assert_true (dn_seccomp_filter_run (filter, &call, &action));
  return action;
}

/* As setns and socket in CRI-O's default: what one rule refuses no other gives back. */
static void
test_what_is_permitted_and_refused_is_refused (void)
{
  g_autofree char *text = read_seccomp (
      "{'names': ['read', 'write', 'close', 'execve', 'exit_group', 'chmod', 'dup3'],"
      " 'action': 'SCMP_ACT_ALLOW'},"
      "{'names': ['chmod'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 1, 'args': []},"
      "{'names': ['dup3'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 1, 'args': ["
      "{'index': 0, 'value': 40, 'op': 'SCMP_CMP_EQ'}]},"
      "{'names': ['dup3'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 22, 'args': ["
      "{'index': 0, 'value': 16, 'op': 'SCMP_CMP_EQ'}, {'index': 1, 'value': 9, 'op': "
      "'SCMP_CMP_EQ'}]}");
  g_autofree char *ours = NULL;
  DnSeccompTexts texts = { .user_json = text };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) filter = NULL;

  g_assert_true (g_file_get_contents ("config/seccomp/default.json", &ours, NULL, NULL));
  texts.default_json = ours;
  filter = dn_seccomp_build (&texts, &error);
  g_assert_no_error (error);
  g_assert_cmphex (ask (filter, __NR_read, 0, 0), ==, SECCOMP_RET_ALLOW);
  g_assert_cmphex (ask (filter, __NR_chmod, 0, 0), ==, SECCOMP_RET_ERRNO | EPERM);
  g_assert_cmphex (ask (filter, __NR_fchmod, 0, 0), ==, SECCOMP_RET_ERRNO | ENOSYS);
  g_assert_cmphex (ask (filter, __NR_dup3, 40, 0), ==, SECCOMP_RET_ERRNO | EPERM);
  g_assert_cmphex (ask (filter, __NR_dup3, 16, 9), ==, SECCOMP_RET_ERRNO | EINVAL);
  g_assert_cmphex (ask (filter, __NR_dup3, 16, 8), ==, SECCOMP_RET_ALLOW);
}

static void
test_settings_name_what_is_wrong (void)
{
  static const char *const bad[][2] = { { "capabilities = CHOWN;NOTHING\n", "NOTHING" },
                                        { "binds = ~/src:rw\n", "home" },
                                        { "binds = /srv:maybe\n", "/srv:maybe" } };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *file = g_strconcat ("[pods]\n", bad[i][0], NULL);
      g_autoptr (GError) error = NULL;
      DnKey keys[DN_POD_KEYS + 1] = { 0 };
      DnPodSettings settings;

      dn_pod_settings_init (&settings);
      dn_pod_settings_fill_keys (&settings, keys);
      g_assert_true (dn_key_file_parse (file, strlen (file), "danchi.conf", keys, &error));
      g_assert_false (dn_pod_settings_check (&settings, "danchi.conf", NULL, &error));
      if (strstr (error->message, bad[i][1]) == NULL)
        g_error ("%s", error->message);
      dn_pod_settings_clear (&settings);
    }
}

static void
test_a_root_is_of_one_place (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) document
      = json_from_string ("{\"process\": {\"args\": [\"sh\"], \"cwd\": \"/\"}, \"linux\": "
                          "{\"namespaces\": [{\"type\": \"network\"}, {\"type\": \"ipc\"}, "
                          "{\"type\": \"pid\"}, {\"type\": \"mount\"}, {\"type\": \"uts\"}]}}",
                          NULL);
  g_autoptr (DnOciConfig) config
      = dn_oci_config_read (json_node_get_object (document), "container 'c'", &error);
  g_autoptr (DnContainerOptions) options = g_new0 (DnContainerOptions, 1);
  g_autoptr (DnProfile) profile = dn_profile_load ("standard", NULL, NULL);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  DnOciSpecPlan plan = { .config = config,
                         .options = options,
                         .profile = profile,
                         .mounts = none,
                         .pod_sysctls = none,
                         .hostname = "web",
                         .first_uid = FIRST_UID,
                         .root_share = 32 };

  g_assert_no_error (error);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (JsonNode) spec = NULL;
      JsonObject *annotations;

      plan.root_volume = i == 0 ? NULL : "x0123";
      spec = dn_oci_spec_build (&plan);
      annotations = json_object_get_object_member (json_node_get_object (spec), "annotations");
      g_assert_cmpint (json_object_has_member (annotations, "org.danchi.root-share"), ==, i == 0);
      g_assert_cmpint (json_object_has_member (annotations, "org.danchi.root-volume"), ==, i == 1);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GDir) directory = NULL;
  const char *file;
  guint count = 0;

  g_test_init (&argc, &argv, NULL);
  dn_paths_override ("config", NULL, NULL);
  directory = g_dir_open (DIRECTORY, 0, NULL);
  g_assert_nonnull (directory);
  while ((file = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (file, ".in.json"))
      {
        char *name = g_strndup (file, strlen (file) - strlen (".in.json"));
        g_autofree char *path = g_strconcat ("/oci-spec/golden/", name, NULL);

        g_test_add_data_func_full (path, name, test_golden, g_free);
        count++;
      }
  g_assert_cmpuint (count, >, 8);
  g_test_add_func ("/oci-spec/a wrong type is refused wherever it stands",
                   test_a_wrong_type_is_refused_wherever_it_stands);
  g_test_add_func ("/oci-spec/a path of a mount may be written in more than one way",
                   test_a_path_of_a_mount_may_be_written_in_more_than_one_way);
  g_test_add_func ("/oci-spec/a root is of one place", test_a_root_is_of_one_place);
  g_test_add_func ("/oci-spec/a rule with more than one comparison of an argument is one for each",
                   test_a_rule_with_more_than_one_comparison_of_an_argument_is_one_for_each);
  g_test_add_func ("/oci-spec/what is permitted and refused is refused",
                   test_what_is_permitted_and_refused_is_refused);
  g_test_add_func ("/oci-spec/settings name what is wrong", test_settings_name_what_is_wrong);
  return g_test_run ();
}
