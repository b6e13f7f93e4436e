/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/shim/metrics.c launcher/shim/bootstrap.c launcher/shim/danchid.c
 * launcher/shim/worker.c build/gen/shim/metrics.pb-c.c build/gen/shim/wellknown.pb-c.c
 * build/gen/shim/runtime.pb-c.c launcher/common/*.c launcher/base/*.c protocol/*.c */
/* Packages: libprotobuf-c */
#include <glib.h>
#include <string.h>

#include "../../launcher/common/json.h"
#include "../../launcher/shim/bootstrap.h"
#include "../../launcher/shim/metrics.h"
#include "shim/metrics.pb-c.h"

static JsonNode *
stats (void)
{
  static const char text[]
      = "{\"cpu_us\": 7, \"cpu_user_us\": 4, \"cpu_system_us\": 3, \"throttled_us\": 2, "
        "\"memory_bytes\": 100, \"memory_cache_bytes\": 30, \"memory_limit_bytes\": -1, "
        "\"oom_kills\": 1, \"pids\": 5, \"pids_limit\": -1, \"read_bytes\": 8, "
        "\"written_bytes\": 9, \"network_received_bytes\": 11, \"network_sent_packets\": 12}";
  JsonNode *node = dn_json_parse (text, strlen (text), sizeof text, "stats", NULL);

  g_assert_nonnull (node);
  return node;
}

static void
test_version_1_has_every_member_that_callers_follow (void)
{
  g_autoptr (JsonNode) node = stats ();
  Pb__Any any = PB__ANY__INIT;
  Pb__MetricsV1 *metrics;

  dn_metrics_fill (DN_METRICS_V1, json_node_get_object (node), 3, &any);
  g_assert_cmpstr (any.type_url, ==, "io.containerd.cgroups.v1.Metrics");
  metrics = pb__metrics_v1__unpack (NULL, any.value.len, any.value.data);
  g_assert_nonnull (metrics);
  g_assert_cmpuint (metrics->cpu->usage->total, ==, 7000);
  g_assert_cmpuint (metrics->cpu->usage->user, ==, 4000);
  g_assert_cmpuint (metrics->cpu->throttling->throttled_time, ==, 2000);
  g_assert_cmpuint (metrics->memory->usage->usage, ==, 100);
  g_assert_cmpuint (metrics->memory->usage->limit, ==, G_MAXUINT64);
  g_assert_nonnull (metrics->memory->swap);
  g_assert_nonnull (metrics->memory->kernel);
  g_assert_nonnull (metrics->memory->kernel_tcp);
  g_assert_cmpuint (metrics->memory->total_inactive_file, ==, 30);
  g_assert_cmpuint (metrics->memory->total_rss, ==, 70);
  g_assert_cmpuint (metrics->memory_oom_control->oom_kill, ==, 3);
  g_assert_cmpuint (metrics->pids->current, ==, 5);
  g_assert_cmpuint (metrics->pids->limit, ==, 0);
  g_assert_cmpuint (metrics->n_network, ==, 1);
  g_assert_cmpuint (metrics->network[0]->rx_bytes, ==, 11);
  g_assert_cmpuint (metrics->network[0]->tx_packets, ==, 12);
  pb__metrics_v1__free_unpacked (metrics, NULL);
  g_free (any.value.data);
}

static void
test_version_2_has_them_too (void)
{
  g_autoptr (JsonNode) node = stats ();
  Pb__Any any = PB__ANY__INIT;
  Pb__MetricsV2 *metrics;

  dn_metrics_fill (DN_METRICS_V2, json_node_get_object (node), 0, &any);
  g_assert_cmpstr (any.type_url, ==, "io.containerd.cgroups.v2.Metrics");
  metrics = pb__metrics_v2__unpack (NULL, any.value.len, any.value.data);
  g_assert_nonnull (metrics);
  g_assert_cmpuint (metrics->cpu->usage_usec, ==, 7);
  g_assert_cmpuint (metrics->memory->usage, ==, 100);
  g_assert_cmpuint (metrics->memory->usage_limit, ==, G_MAXUINT64);
  g_assert_cmpuint (metrics->memory->inactive_file, ==, 30);
  g_assert_cmpuint (metrics->memory_events->oom_kill, ==, 1);
  g_assert_cmpuint (metrics->pids->current, ==, 5);
  g_assert_cmpuint (metrics->io->usage[0]->wbytes, ==, 9);
  pb__metrics_v2__free_unpacked (metrics, NULL);
  g_free (any.value.data);
}

static void
test_of_a_sandbox_all_is_there_and_nothing (void)
{
  for (int version = DN_METRICS_V1; version <= DN_METRICS_V2; version++)
    {
      Pb__Any any = PB__ANY__INIT;

      dn_metrics_fill ((DnMetricsVersion) version, NULL, 0, &any);
      g_assert_cmpuint (any.value.len, >, 0);
      g_free (any.value.data);
    }
}

static void
test_bootstrap_params_are_known_by_the_id (void)
{
  /* instance_id "abc", log_level -4 in ten bytes, socket_dir "/s" */
  static const guint8 params[] = "\x0a\x03"
                                 "abc\x18\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x01\x4a\x02/s";
  static const guint8 any[] = "\x0a\x19runtimeoptions.v1.Options";
  DnBootstrap bootstrap = dn_bootstrap_read (params, sizeof params - 1, "abc");
  g_autoptr (GBytes) answer = dn_bootstrap_answer (&bootstrap, "unix:///s/x");

  g_assert_true (bootstrap.is_params);
  g_assert_cmpstr (bootstrap.socket_dir, ==, "/s");
  g_assert_cmpmem (g_bytes_get_data (answer, NULL), g_bytes_get_size (answer),
                   "\x08\x02\x12\x0bunix:///s/x\x1a\x05ttrpc", 22);
  g_free (bootstrap.socket_dir);
  bootstrap = dn_bootstrap_read (any, sizeof any - 1, "abc");
  g_assert_false (bootstrap.is_params);
  bootstrap = dn_bootstrap_read ((const guint8 *) "\xff", 1, "abc");
  g_assert_false (bootstrap.is_params);
  g_clear_pointer (&answer, g_bytes_unref);
  answer = dn_bootstrap_answer (&bootstrap, "unix:///s/x");
  g_assert_cmpmem (g_bytes_get_data (answer, NULL), g_bytes_get_size (answer), "unix:///s/x", 11);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shim-metrics/version-1-has-every-member-that-callers-follow",
                   test_version_1_has_every_member_that_callers_follow);
  g_test_add_func ("/shim-metrics/version-2-has-them-too", test_version_2_has_them_too);
  g_test_add_func ("/shim-metrics/of-a-sandbox-all-is-there-and-nothing",
                   test_of_a_sandbox_all_is_there_and_nothing);
  g_test_add_func ("/shim-bootstrap/bootstrap-params-are-known-by-the-id",
                   test_bootstrap_params_are_known_by_the_id);
  return g_test_run ();
}
