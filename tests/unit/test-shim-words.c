/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/shim/bundle.c launcher/shim/log-uri.c launcher/shim/options.c
 * launcher/shim/resources.c launcher/shim/danchid.c launcher/shim/worker.c launcher/shim/status.c
 * launcher/common/*.c launcher/base/*.c protocol/*.c */
/* What the shim reads of others: config.json, URIs, its command line, resources. */
#include <glib.h>
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/shim/bundle.h"
#include "../../launcher/shim/log-uri.h"
#include "../../launcher/shim/options.h"
#include "../../launcher/shim/resources.h"
#include "../../launcher/shim/status.h"

static gboolean
facts_of (const char *text, const char *id, DnBundleFacts *ret_facts)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = dn_json_parse (text, strlen (text), 100000, "config", &error);

  g_assert_no_error (error);
  return dn_bundle_get_facts (json_node_get_object (node), id, ret_facts, NULL);
}

static void
test_annotations_say_whose_a_container_is (void)
{
  static const struct
  {
    const char *annotations;
    DnBundleKind kind;
    const char *pod; /* NULL: refused */
  } cases[] = {
    { "", DN_BUNDLE_SINGLE, "me" },
    { "'io.kubernetes.cri.sandbox-id': 'p1'", DN_BUNDLE_SINGLE, "me" },
    { "'io.kubernetes.cri.container-type': 'sandbox', 'io.kubernetes.cri.sandbox-id': 'p1'",
      DN_BUNDLE_SANDBOX, "me" },
    { "'io.kubernetes.cri.container-type': 'container', 'io.kubernetes.cri.sandbox-id': 'p1'",
      DN_BUNDLE_MEMBER, "p1" },
    { "'io.kubernetes.cri-o.ContainerType': 'container', 'io.kubernetes.cri-o.SandboxID': 'p2'",
      DN_BUNDLE_MEMBER, "p2" },
    { "'io.kubernetes.cri-o.ContainerType': 'sandbox', 'io.kubernetes.cri-o.SandboxID': 'me'",
      DN_BUNDLE_SANDBOX, "me" },
    { "'io.kubernetes.docker.type': 'podsandbox'", DN_BUNDLE_SANDBOX, "me" },
    { "'io.kubernetes.docker.type': 'container', 'io.kubernetes.sandbox.id': 'p3'",
      DN_BUNDLE_MEMBER, "p3" },
    { "'io.kubernetes.cri.container-type': 'container'", DN_BUNDLE_MEMBER, NULL },
    { "'io.kubernetes.cri.container-type': 'container', 'io.kubernetes.cri.sandbox-id': '../p'",
      DN_BUNDLE_MEMBER, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf ("{'annotations': {%s}}", cases[i].annotations);
      g_auto (DnBundleFacts) facts = { 0 };
      gboolean is_fine = facts_of (g_strdelimit (text, "'", '"'), "me", &facts);

      g_assert_cmpint (is_fine, ==, cases[i].pod != NULL);
      if (is_fine)
        {
          g_assert_cmpint (facts.kind, ==, cases[i].kind);
          g_assert_cmpstr (facts.pod, ==, cases[i].pod);
        }
    }
}

static void
test_config_says_network_name_root_and_size (void)
{
  g_auto (DnBundleFacts) none = { 0 }, host = { 0 }, all = { 0 };

  g_assert_true (facts_of ("{\"linux\": {\"namespaces\": [{\"type\": \"network\"}]}}", "a", &none));
  g_assert_cmpstr (none.netns, ==, "");
  g_assert_cmpstr (none.hostname, ==, "");
  g_assert_true (facts_of ("{\"linux\": {\"namespaces\": [{\"type\": \"pid\"}, 7]}}", "a", &host));
  g_assert_null (host.netns);
  g_assert_true (facts_of ("{\"hostname\": \"h\", \"root\": {\"path\": \"rootfs\"}, \"process\": "
                           "{\"consoleSize\": {\"height\": 24, \"width\": 99999999}}, \"linux\": "
                           "{\"namespaces\": [{\"type\": \"network\", \"path\": \"/n\"}]}}",
                           "a", &all));
  g_assert_cmpstr (all.netns, ==, "/n");
  g_assert_cmpstr (all.hostname, ==, "h");
  g_assert_cmpstr (all.root, ==, "rootfs");
  g_assert_cmpuint (all.rows, ==, 24);
  g_assert_cmpuint (all.columns, ==, G_MAXUINT16);
}

static void
test_ids_become_parts_of_paths_only_when_they_can (void)
{
  static const char *const valid[] = { "a", "0", "a.b_c-d", "A1", "f00" };
  static const char *const invalid[]
      = { "", ".", "..", "a/b", "-a", "a-", "a..b", "a._b", "a b", "é" };
  g_autofree char *longest = g_strnfill (DN_SHIM_ID_MAX_BYTES, 'x');
  g_autofree char *longer = g_strnfill (DN_SHIM_ID_MAX_BYTES + 1, 'x');

  for (gsize i = 0; i < G_N_ELEMENTS (valid); i++)
    g_assert_true (dn_shim_id_is_valid (valid[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (invalid); i++)
    g_assert_false (dn_shim_id_is_valid (invalid[i]));
  g_assert_true (dn_shim_id_is_valid (longest));
  g_assert_false (dn_shim_id_is_valid (longer));
}

static void
test_streams_are_paths_or_known_uris (void)
{
  static const struct
  {
    const char *text;
    DnLogKind kind;
    const char *path; /* NULL: refused */
    const char *arguments;
  } cases[] = {
    { "", DN_LOG_NONE, "", NULL },
    { "/run/x", DN_LOG_PATH, "/run/x", NULL },
    { "fifo:///run/x", DN_LOG_PATH, "/run/x", NULL },
    { "file:///var/log/a%20b", DN_LOG_FILE, "/var/log/a b", NULL },
    { "binary:///bin/log", DN_LOG_BINARY, "/bin/log", "" },
    { "binary:///bin/log?a=b&c=d%26e&f", DN_LOG_BINARY, "/bin/log", "a b c d&e f" },
    { "binary:///bin/log?-x=&y=1+2", DN_LOG_BINARY, "/bin/log", "-x  y 1 2" },
    { "relative", DN_LOG_NONE, NULL, NULL },
    { "file://host/x", DN_LOG_NONE, NULL, NULL },
    { "file:x", DN_LOG_NONE, NULL, NULL },
    { "npipe:////./pipe/x", DN_LOG_NONE, NULL, NULL },
    { "ttrpc+unix:///run/s?streaming_id=1", DN_LOG_NONE, NULL, NULL },
    { "file:///a%00b", DN_LOG_NONE, NULL, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (DnLogUri) uri = { 0 };
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", cases[i].text);
      if (cases[i].path == NULL)
        {
          g_assert_false (dn_log_uri_read (cases[i].text, &uri, &error));
          g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
          continue;
        }
      g_assert_true (dn_log_uri_read (cases[i].text, &uri, &error));
      g_assert_cmpint (uri.kind, ==, cases[i].kind);
      g_assert_cmpstr (uri.path != NULL ? uri.path : "", ==, cases[i].path);
      if (cases[i].arguments != NULL)
        {
          g_autofree char *joined = g_strjoinv (" ", uri.arguments);

          g_assert_cmpstr (joined, ==, cases[i].arguments);
        }
    }
}

static void
test_the_command_line_is_containerds (void)
{
  DnShimOptions options;
  char *start[] = { "shim", "-namespace", "k8s.io", "-address", "/run/c.sock", "-publish-binary",
                    "/c",   "-id",        "abc",    "-debug",   "start",       NULL };
  char *delete[]
      = { "shim", "--namespace=default", "--address", "", "-id=x", "-bundle", "/b", "delete" };
  char *info[] = { "shim", "-info" };
  char *wrong[][4] = { { "shim", "-id" },
                       { "shim", "-x", "start" },
                       { "shim", "-id=a/b", "-namespace=n", "start" },
                       { "shim", "-id=a", "-namespace=..", "start" },
                       { "shim", "-idx=a", "-namespace=n", "start" },
                       { "shim", "-id=a", "-namespace=n", "run" } };

  g_assert_true (dn_shim_options_read (11, start, &options, NULL));
  g_assert_cmpint (options.action, ==, DN_ACTION_START);
  g_assert_cmpstr (options.name_space, ==, "k8s.io");
  g_assert_cmpstr (options.address, ==, "/run/c.sock");
  g_assert_cmpstr (options.id, ==, "abc");
  g_assert_true (options.is_debug);
  g_assert_true (dn_shim_options_read (8, delete, &options, NULL));
  g_assert_cmpint (options.action, ==, DN_ACTION_DELETE);
  g_assert_cmpstr (options.address, ==, "");
  g_assert_cmpstr (options.bundle, ==, "/b");
  g_assert_false (options.is_debug);
  g_assert_true (dn_shim_options_read (2, info, &options, NULL));
  g_assert_cmpint (options.action, ==, DN_ACTION_INFO);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      int count = 0;

      while (count < 4 && wrong[i][count] != NULL)
        count++;
      g_assert_false (dn_shim_options_read (count, wrong[i], &options, NULL));
    }
}

static void
test_resources_become_danchids_limits (void)
{
  static const struct
  {
    const char *given;
    const char *limits; /* NULL: refused */
  } cases[] = {
    { "{}", "{}" },
    { "{\"memory\": {\"limit\": 5, \"swap\": 9, \"reservation\": 3}}",
      "{\"memory_bytes\":5,\"memory_reservation_bytes\":3}" },
    { "{\"memory\": {\"limit\": -1}, \"pids\": {\"limit\": -5}}",
      "{\"memory_bytes\":-1,\"pids_limit\":-1}" },
    { "{\"cpu\": {\"quota\": 150000, \"period\": 100000}}", "{\"cpus\":1.5}" },
    { "{\"cpu\": {\"quota\": 50000, \"shares\": 2}}", "{\"cpu_shares\":2,\"cpus\":0.5}" },
    { "{\"cpu\": {\"quota\": -1, \"period\": 100000}}", "{\"cpus\":-1.0}" },
    { "{\"cpu\": {\"cpus\": \"0-3\"}, \"devices\": [], \"blockIO\": {\"weight\": 10}}", "{}" },
    { "{\"memory\": 7, \"cpu\": [], \"pids\": \"x\"}", "{}" },
    { "[]", NULL },
    { "", NULL },
    { "{\"memory\": {\"limit\": 5}, \"memory\": {}}", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonObject) args = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = NULL;
      g_autofree char *text = NULL;

      if (!dn_resources_read (cases[i].given, strlen (cases[i].given), &args, &error))
        {
          g_assert_null (cases[i].limits);
          g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
          continue;
        }
      node = json_node_init_object (json_node_alloc (), args);
      text = dn_json_to_text (node, FALSE);
      g_assert_cmpstr (text, ==, cases[i].limits);
    }
}

static void
test_errors_keep_their_words_and_have_a_class (void)
{
  g_autoptr (GError) missing = NULL, hinted = NULL;
  g_autofree char *missing_text = NULL, *hinted_text = NULL;

  dn_throw (&missing, DN_ERROR_NO_COMMAND, "container 'a': 'x'");
  dn_throw (&hinted, DN_ERROR_CONFLICT, "pod 'p': is there\nremove it first");
  missing_text = dn_status_text (missing);
  hinted_text = dn_status_text (hinted);
  g_assert_cmpstr (missing_text, ==,
                   "container 'a': 'x': executable file not found in $PATH: no such file or "
                   "directory");
  g_assert_cmpstr (hinted_text, ==, "pod 'p': is there (remove it first)");
  g_assert_cmpint (dn_status_of_error (missing), ==, DN_STATUS_UNKNOWN);
  g_assert_cmpint (dn_status_of_error (hinted), ==, DN_STATUS_FAILED_PRECONDITION);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shim/annotations-say-whose-a-container-is",
                   test_annotations_say_whose_a_container_is);
  g_test_add_func ("/shim/config-says-network-name-root-and-size",
                   test_config_says_network_name_root_and_size);
  g_test_add_func ("/shim/ids-become-parts-of-paths-only-when-they-can",
                   test_ids_become_parts_of_paths_only_when_they_can);
  g_test_add_func ("/shim/streams-are-paths-or-known-uris", test_streams_are_paths_or_known_uris);
  g_test_add_func ("/shim/the-command-line-is-containerds", test_the_command_line_is_containerds);
  g_test_add_func ("/shim/resources-become-danchids-limits", test_resources_become_danchids_limits);
  g_test_add_func ("/shim/errors-keep-their-words-and-have-a-class",
                   test_errors_keep_their_words_and_have_a_class);
  return g_test_run ();
}
