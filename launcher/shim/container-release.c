/* SPDX-License-Identifier: Apache-2.0 */
#include "container-release.h"

#include "../common/error.h"
#include "danchid.h"
#include "pod.h"
#include "root-mount.h"

#define TIMEOUT_MS 60000

typedef struct
{
  DnContainer *container; /* a reference */
  void (*done) (const GError *error, gpointer user_data);
  gpointer user_data;
} Release;

static void
finish (Release *release, const GError *error)
{
  DnContainer *container = release->container;

  if (error == NULL && container->is_mounted)
    {
      dn_root_mount_undo (container->root);
      container->is_mounted = FALSE;
    }
  if (error == NULL)
    dn_root_device_close (&container->device);
  release->done (error, release->user_data);
  dn_container_unref (container);
  g_free (release);
}

static void
on_answer (DnDanchidAnswer *answer, gpointer user_data)
{
  Release *release = user_data;
  DnContainer *container = release->container;

  if (answer->error != NULL && !g_error_matches (answer->error, DN_ERROR, DN_ERROR_NOT_FOUND))
    {
      finish (release, answer->error);
      return;
    }
  g_clear_pointer (&container->danchid_id, g_free);
  if (container->kind != DN_BUNDLE_MEMBER)
    {
      container->pod->has_guest = FALSE;
      dn_pod_guest_ended (container->pod, DN_TASK_KILLED);
    }
  finish (release, NULL);
}

void
dn_container_release (DnContainer *container,
                      void (*done) (const GError *error, gpointer user_data), gpointer user_data)
{
  Release *release = g_new0 (Release, 1);
  JsonObject *args;

  *release = (Release){ .container = dn_container_ref (container),
                        .done = done,
                        .user_data = user_data };
  if (container->kind != DN_BUNDLE_MEMBER && container->pod->has_guest)
    {
      dn_danchid_call ("pod-remove", dn_pod_remove_args (container->pod), TIMEOUT_MS, on_answer,
                       release);
      return;
    }
  /* What was in a pod that is gone went with it. */
  if (container->danchid_id == NULL || !container->pod->has_guest)
    {
      finish (release, NULL);
      return;
    }
  args = json_object_new ();
  json_object_set_string_member (args, "container", container->danchid_id);
  json_object_set_boolean_member (args, "force", TRUE);
  dn_danchid_call ("container-remove", args, TIMEOUT_MS, on_answer, release);
}
