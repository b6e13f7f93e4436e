/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-container.h"

#include <string.h>

#include "../binds/binds.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../daemon/container-call.h"
#include "../daemon/json-build.h"
#include "../daemon/settings-file.h"
#include "../guest/share-server.h"
#include "oci-spec.h"
#include "pod-mount.h"
#include "pod.h"

/* The agent waits for the host as long. */
#define CALL_TIMEOUT_MS 30000
#define ORDINARY_UID 1 /* any that a share knows: check makes a mount and throws it away */

/* All containers of a pod have one range of ids: what one writes to a volume is another's. */
#define FIRST_UID DN_CONTEXT_FIRST_UID

static char *
what_of (const DnPodMember *member)
{
  return g_strdup_printf ("container '%.76s'", member->id);
}

/* By what is permitted now. (transfer full): or NULL */
static GPtrArray *
plan_mounts (DnContainer *container, const DnPodMember *member, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (container->daemon);
  const DnPaths *paths = dn_paths ();
  const char *const own[] = { paths->config, paths->state, paths->run, NULL };
  const DnPod *pod = container->context->pod;
  g_autofree char *what = what_of (member);
  const DnPodMountRules rules = { .sandbox_id = pod->id,
                                  .pod_uid = pod->pod_uid,
                                  .settings = &settings->pods,
                                  .own = own,
                                  .file = settings->file };

  return dn_pod_mounts_plan (member->config, &rules, what, error);
}

static void
set_files (DnPodMember *member)
{
  for (guint i = 0; member->files != NULL && i < member->mounts->len; i++)
    {
      DnPodMount *mount = member->mounts->pdata[i];

      mount->is_file = g_strv_contains ((const char *const *) member->files, mount->mount->target);
    }
}

static gboolean
fill_source (const char *root, const char *rest, gboolean is_writable, DnShareSource *source,
             GError **error)
{
  *source = (DnShareSource){ .is_writable = is_writable, .is_executable = TRUE };
  if (strchr (root, '\n') != NULL || strchr (rest, '\n') != NULL
      || g_strlcpy (source->root, root, sizeof source->root) >= sizeof source->root
      || g_strlcpy (source->rest, rest, sizeof source->rest) >= sizeof source->rest)
    return dn_throw (error, DN_ERROR_LIMIT, "mount '%.200s': its path cannot be passed on", root);
  return TRUE;
}

/* Looks for all that comes from the host; @ret_files: which of it are files. */
static gboolean
check_sources (GPtrArray *mounts, char ***ret_files, GError **error)
{
  g_autoptr (GStrvBuilder) files = g_strv_builder_new ();

  for (guint i = 0; i < mounts->len; i++)
    {
      const DnPodMount *mount = mounts->pdata[i];
      g_autofree char *what = g_strdup_printf ("mount '%s'", mount->mount->target);
      g_autofree DnShareOrder *order = g_new0 (DnShareOrder, 1);
      DnShareAnswer answer;

      if (mount->kind != DN_POD_MOUNT_SHARE)
        continue;
      order->verb = DN_SHARE_CHECK;
      order->guest_uid = order->guest_gid = ORDINARY_UID;
      if (!fill_source (mount->root, mount->rest, !mount->is_readonly, &order->source, error)
          || !dn_share_server_order (order, -1, what, &answer, error))
        return FALSE;
      if (!answer.is_directory)
        g_strv_builder_add (files, mount->mount->target);
    }
  *ret_files = g_strv_builder_end (files);
  return TRUE;
}

gboolean
dn_pod_container_plan (DnContainer *container, GError **error)
{
  DnPodMember *member = container->pod;

  member->mounts = plan_mounts (container, member, error);
  if (member->mounts == NULL || !check_sources (member->mounts, &member->files, error))
    return FALSE;
  set_files (member);
  return TRUE;
}

gboolean
dn_pod_container_load (DnContainer *container, JsonObject *object, const char *what, GError **error)
{
  container->pod = dn_pod_member_read (object, what, error);
  if (container->pod == NULL)
    return FALSE;
  if (container->context->pod == NULL)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: its context is no pod", what);
  container->pod->mounts = plan_mounts (container, container->pod, error);
  if (container->pod->mounts == NULL)
    return FALSE;
  set_files (container->pod);
  return TRUE;
}

JsonNode *
dn_pod_container_spec (DnContainer *container, const DnContainerOptions *options, guint slot)
{
  const DnPodMember *member = container->pod;
  const DnPod *pod = container->context->pod;
  const DnOciSpecPlan plan
      = { .config = member->config,
          .options = options,
          .profile = container->profile,
          .mounts = member->mounts,
          .pod_sysctls = pod->sysctls,
          .hostname = pod->hostname[0] != '\0' ? pod->hostname : container->context->name,
          .first_uid = FIRST_UID,
          .root_share = dn_binds_number (slot, 0) };

  return dn_oci_spec_build (&plan);
}

GBytes *
dn_pod_container_filter (DnContainer *container, char ***ret_relaxations, char **ret_hash,
                         GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (container->daemon);
  const DnOciConfig *config = container->pod->config;
  g_autofree char *what = what_of (container->pod);

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
  g_autoptr (GPtrArray) mounts = NULL;
  g_auto (GStrv) files = NULL;

  if (start->container->pod == NULL)
    return TRUE;
  start->entry->wants_share = TRUE;
  /* Once more: what is permitted, and what is there, may have changed. */
  mounts = plan_mounts (start->container, start->container->pod, error);
  return mounts != NULL && check_sources (mounts, &files, error);
}

static gboolean
bind_one (DnPartStart *start, const char *root, const char *rest, gboolean is_writable, guint index,
          const char *what, GError **error)
{
  g_autofree DnShareSource *source = g_new0 (DnShareSource, 1);
  const DnGuestBind bind = { .what = what,
                             .number = dn_binds_number (start->slot, index),
                             .guest_uid = FIRST_UID,
                             .guest_gid = FIRST_UID,
                             .is_of_pod = TRUE,
                             .source = source };
  DnShareAnswer answer;

  return fill_source (root, rest, is_writable, source, error)
         && dn_guest_bind (start->guest, &bind, &answer, error);
}

/* The root has to be there before CREATE. */
static gboolean
enter (DnPartStart *start, GError **error)
{
  const DnPodMember *member = start->container->pod;

  return member == NULL
         || bind_one (start, member->rootfs, "", TRUE, 0, "the container's root", error);
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
      const DnPodMount *mount = member->mounts->pdata[i];
      g_autofree char *what = g_strdup_printf ("mount '%s'", mount->mount->target);

      if (mount->kind != DN_POD_MOUNT_SHARE)
        continue;
      count++;
      if (!bind_one (start, mount->root, mount->rest, !mount->is_readonly, mount->number, what,
                     error)
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
  guint slot;

  if (guest == NULL || container->pod == NULL || !dn_guest_has_share (guest))
    return;
  g_mutex_lock (&container->daemon->lock);
  slot = container->slot;
  g_mutex_unlock (&container->daemon->lock);
  dn_guest_unbind (guest, dn_binds_number (slot, 0));
  for (guint i = 0; i < container->pod->mounts->len; i++)
    {
      const DnPodMount *mount = container->pod->mounts->pdata[i];

      if (mount->kind == DN_POD_MOUNT_SHARE)
        dn_guest_unbind (guest, dn_binds_number (slot, mount->number));
    }
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
  json_object_set_object_member (object, "pod", words);
}

const DnContainerPart dn_pod_part = { .name = "pod",
                                      .prepare = prepare,
                                      .enter = enter,
                                      .furnish = furnish,
                                      .leave = leave,
                                      .describe = describe };
