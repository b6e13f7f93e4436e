/* SPDX-License-Identifier: Apache-2.0 */
/* Runs after every container's normal end, too: so a container's own delete touches neither guest
 * nor shim, and the pod's only what pod-remove finds.  After a shim that crashed those of all
 * containers run side by side; each may be the first. */
#include <stdio.h>
#include <string.h>

#include "actions.h"
#include "bundle.h"
#include "danchid.h"
#include "root-device.h"
#include "root-mount.h"
#include "shim-socket.h"
#include "shim/task.pb-c.h"
#include "timestamp.h"

/* containerd gives it five seconds; danchid goes on by itself. */
#define REMOVE_TIMEOUT_MS 3500
#define KILLED 137

/* Without a config.json nobody knows whether the id is a pod's; danchid does. */
static gboolean
may_be_pod (const DnShimOptions *options)
{
  g_autoptr (JsonNode) config = dn_bundle_read (options->bundle, NULL);
  g_auto (DnBundleFacts) facts = { 0 };

  return config == NULL
         || !dn_bundle_get_facts (json_node_get_object (config), options->id, &facts, NULL)
         || facts.kind != DN_BUNDLE_MEMBER;
}

static void
remove_pod (const DnShimOptions *options)
{
  g_auto (DnDanchidAnswer) answer = { 0 };
  JsonObject *args = json_object_new ();
  g_autofree char *path = dn_shim_socket_path (DN_SHIM_SOCKET_DIRECTORY, options->address,
                                               options->name_space, options->id);

  json_object_set_string_member (args, "id", options->id);
  json_object_set_string_member (args, "namespace", options->name_space);
  dn_danchid_ask ("pod-remove", args, REMOVE_TIMEOUT_MS, &answer);
  if (answer.error != NULL)
    fprintf (stderr, "containerd-shim-danchi-v2: pod '%s': %s\n", options->id,
             answer.error->message);
  /* After the guest, which had them, and of all of its containers. */
  dn_root_device_sweep (options->name_space, options->id);
  dn_shim_socket_clean (path);
}

int
dn_action_delete (const DnShimOptions *options)
{
  Pb__Timestamp exited_at = PB__TIMESTAMP__INIT;
  Pb__DeleteResponse response = PB__DELETE_RESPONSE__INIT;
  g_autofree guint8 *bytes = NULL;
  gsize size;

  if (may_be_pod (options))
    remove_pod (options);
  if (g_path_is_absolute (options->bundle))
    {
      g_autofree char *root = g_build_filename (options->bundle, "rootfs", NULL);

      dn_root_mount_undo (root);
    }
  dn_timestamp_fill (&exited_at, g_get_real_time ());
  response.exit_status = KILLED;
  response.exited_at = &exited_at;
  size = pb__delete_response__get_packed_size (&response);
  bytes = g_malloc (size);
  (void) pb__delete_response__pack (&response, bytes);
  return fwrite (bytes, 1, size, stdout) == size && fflush (stdout) == 0 ? 0 : 1;
}
