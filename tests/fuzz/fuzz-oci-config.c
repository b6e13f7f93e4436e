/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/pods/oci-*.c launcher/pods/pod-processes.c launcher/pods/pod-mount.c
 * launcher/pods/pod-settings.c launcher/limits/guest-size.c launcher/spec/*.c launcher/common/*.c
 * launcher/base/network-rule.c launcher/base/public-address.c launcher/base/fdpass.c
 * protocol/*.c */
/* Packages: glib-2.0 gio-unix-2.0 json-glib-1.0 libseccomp libvirt */

/* A config.json of containerd's with anything in it.  What is made of it has no_new_privs, ids of
 * its own range, no bind mount, and the processes of nobody but its pod's. */
#include <stdint.h>
#include <string.h>

#include "../../launcher/common/json.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/pods/oci-spec.h"
#include "../../launcher/pods/pod-processes.h"
#include "../../launcher/spec/profile-store.h"

#define SIZE_MAX_BYTES 65536

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (JsonNode *spec)
{
  JsonObject *object = json_node_get_object (spec);
  JsonObject *process = json_object_get_object_member (object, "process");
  JsonObject *user = json_object_get_object_member (process, "user");
  JsonArray *mounts = json_object_get_array_member (object, "mounts");

  if (!json_object_get_boolean_member (process, "noNewPrivileges"))
    g_error ("new privileges");
  if (json_object_get_int_member (user, "uid") > 65535
      || json_object_get_int_member (user, "gid") > 65535)
    g_error ("an id outside the range");
  for (guint i = 0; i < json_array_get_length (mounts); i++)
    if (g_str_equal (
            json_object_get_string_member (json_array_get_object_element (mounts, i), "type"),
            "bind"))
      g_error ("a bind mount");
}

static void
choose_processes (const DnOciConfig *config)
{
  DnPodPeer all[] = { { (char *) "1", (char *) "web", NULL, TRUE },
                      { (char *) "2", (char *) "cache", NULL, TRUE } };
  g_autoptr (GArray) peers = g_array_new (FALSE, FALSE, sizeof all[0]);
  g_autofree char *chosen = NULL;

  g_array_append_vals (peers, all, G_N_ELEMENTS (all));
  if (dn_pod_processes_choose (config, peers, 77, "it", &chosen, NULL) && chosen != NULL
      && !g_str_equal (chosen, "1") && !g_str_equal (chosen, "2"))
    g_error ("processes of '%s'", chosen);
}

static void
build (const DnOciConfig *config, const DnPodSettings *settings, const DnProfile *profile)
{
  static const char *const own[] = { "/etc/danchi", "/var/lib/danchi", "/run/danchi", NULL };
  const DnPodMountRules rules = { "sandbox", "uid", settings, own, "danchi.conf" };
  const DnOciRoom room = { (guint64) 512 << 20, 2 };
  g_autoptr (GPtrArray) mounts = dn_pod_mounts_plan (config, &rules, "it", NULL);
  g_autoptr (DnContainerOptions) options = dn_oci_options_new (config, &room);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_auto (GStrv) relaxations = NULL;
  const DnOciSpecPlan plan = { .config = config,
                               .options = options,
                               .profile = profile,
                               .mounts = mounts,
                               .pod_sysctls = none,
                               .hostname = "pod",
                               .first_uid = 100000 };
  g_autoptr (JsonNode) spec = NULL;

  if (mounts == NULL
      || !dn_oci_admit (config, settings, profile, "danchi.conf", "it", &relaxations, NULL))
    return;
  spec = dn_oci_spec_build (&plan);
  check (spec);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static DnProfile *profile;
  static DnPodSettings settings;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (DnOciConfig) config = NULL;

  if (profile == NULL)
    {
      dn_paths_override ("config", NULL, NULL);
      profile = dn_profile_load ("standard", NULL, NULL);
      g_assert (profile != NULL);
      dn_pod_settings_init (&settings);
    }
  node = dn_json_parse ((const char *) data, size, SIZE_MAX_BYTES, "it", NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return 0;
  config = dn_oci_config_read (json_node_get_object (node), "it", NULL);
  if (config != NULL)
    {
      choose_processes (config);
      build (config, &settings, profile);
    }
  return 0;
}
