/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-container.h"

#include <string.h>

#include "../binds/binds.h"
#include "../common/error.h"
#include "../daemon/container-call.h"
#include "../daemon/json-build.h"
#include "../daemon/settings-file.h"
#include "oci-spec.h"
#include "pod-volumes.h"
#include "pod.h"

/* The agent waits for the host as long. */
#define CALL_TIMEOUT_MS 30000

gboolean
dn_pod_container_load (DnContainer *container, JsonObject *object, const char *what, GError **error)
{
  container->pod = dn_pod_member_read (object, what, error);
  if (container->pod == NULL)
    return FALSE;
  return container->context->pod != NULL
             ? dn_pod_volumes_restore (container, error)
             : dn_throw (error, DN_ERROR_CONFIG, "%s: its context is no pod", what);
}

JsonNode *
dn_pod_container_spec (DnContainer *container, const DnContainerOptions *options, guint slot)
{
  const DnPodMember *member = container->pod;
  const DnPod *pod = container->context->pod;
  const char *hostname = pod->hostname[0] != '\0' ? pod->hostname : container->context->name;
  const DnOciSpecPlan plan = { .config = member->config,
                               .options = options,
                               .profile = container->profile,
                               .mounts = member->mounts,
                               .pod_sysctls = pod->sysctls,
                               .hostname = hostname,
                               .processes = member->processes,
                               .first_uid = DN_POD_FIRST_UID,
                               .root_share = dn_binds_number (slot, 0) };

  return dn_oci_spec_build (&plan);
}

GBytes *
dn_pod_container_filter (DnContainer *container, char ***ret_relaxations, char **ret_hash,
                         GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (container->daemon);
  const DnOciConfig *config = container->pod->config;
  g_autofree char *what = g_strdup_printf ("container '%s'", container->pod->id);

  /* Once more: what this node grants may have become less since it was made. */
  if (!dn_oci_admit (config, &settings->pods, container->profile, settings->file, what,
                     ret_relaxations, error))
    return NULL;
  return dn_seccomp_compile (config->seccomp_json, (DnSeccompBase) settings->pods.seccomp,
                             config->capabilities, ret_hash, error);
}

static gboolean
prepare (DnPartStart *start, GError **error)
{
  if (start->container->pod == NULL)
    return TRUE;
  start->entry->wants_share = TRUE;
  return dn_pod_volumes_check (start->container, error);
}

/* The root has to be there before CREATE. */
static gboolean
enter (DnPartStart *start, GError **error)
{
  return start->container->pod == NULL
         || dn_pod_volumes_share_root (start->container, start->guest, start->slot, error);
}

static gboolean
mount_one (DnPartStart *start, const DnPodMount *mount, GError **error)
{
  DnMsgShareMount message = { .number = dn_binds_number (start->slot, mount->number) };

  g_strlcpy (message.container, start->container->id, sizeof message.container);
  if (g_strlcpy (message.target, mount->mount->target, sizeof message.target)
      >= sizeof message.target)
    return dn_throw (error, DN_ERROR_LIMIT, "mount '%.200s...': its path is too long",
                     mount->mount->target);
  return dn_container_call (start->guest, DN_MSG_SHARE_MOUNT, &message,
                            (DnPackFunc) dn_msg_share_mount_pack, CALL_TIMEOUT_MS, error);
}

static gboolean
furnish (DnPartStart *start, GError **error)
{
  const DnPodMember *member = start->container->pod;
  DnMsgShareMounted message = { 0 };
  guint count = 0;

  for (guint i = 0; member != NULL && i < member->mounts->len; i++)
    {
      DnPodMount *mount = member->mounts->pdata[i];

      if (!dn_pod_mount_is_shared (mount))
        continue;
      count++;
      if (!dn_pod_volumes_share (start->guest, start->slot, mount, error)
          || !mount_one (start, mount, error))
        return FALSE;
    }
  g_strlcpy (message.container, start->container->id, sizeof message.container);
  return count == 0
         || dn_container_call (start->guest, DN_MSG_SHARE_MOUNTED, &message,
                               (DnPackFunc) dn_msg_share_mounted_pack, CALL_TIMEOUT_MS, error);
}

static void
leave (DnContainer *container, DnGuest *guest)
{
  if (guest != NULL && container->pod != NULL && dn_guest_has_share (guest))
    dn_pod_volumes_unshare (container, guest);
}

static void
describe (DnContainer *container, JsonObject *object)
{
  const DnPod *pod = container->context->pod;
  JsonObject *words;

  if (container->pod == NULL)
    return;
  words = json_object_new ();
  json_object_set_string_member (words, "container", container->pod->id);
  json_object_set_string_member (words, "sandbox", pod->id);
  dn_json_set_text (words, "namespace", pod->pod_namespace);
  dn_json_set_text (words, "name", pod->pod_name);
  dn_json_set_text (words, "uid", pod->pod_uid);
  /* What it is among: the pod's, or another container's by its id. */
  dn_json_set_text (words, "processes", container->pod->processes);
  json_object_set_object_member (object, "pod", words);
}

const DnContainerPart dn_pod_part = { .name = "pod",
                                      .prepare = prepare,
                                      .enter = enter,
                                      .furnish = furnish,
                                      .leave = leave,
                                      .describe = describe };
