/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-volumes.h"

#include <string.h>
#include <unistd.h>

#include "../binds/binds.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../daemon/settings-file.h"
#include "pod-facts.h"

#define WATCH_S 5
#define DATA "..data"

/* By what is permitted now. (transfer full): or NULL */
static GPtrArray *
plan_mounts (DnContainer *container, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (container->daemon);
  const DnPaths *paths = dn_paths ();
  const char *const own[] = { paths->config, paths->state, paths->run, NULL };
  const DnPod *pod = container->context->pod;
  g_autofree char *what = g_strdup_printf ("container '%s'", container->pod->id);
  const DnPodMountRules rules = { .sandbox_id = pod->id,
                                  .pod_uid = pod->pod_uid,
                                  .settings = &settings->pods,
                                  .own = own,
                                  .file = settings->file };

  return dn_pod_mounts_plan (container->pod->config, &rules, what, error);
}

/* For whom questions are asked: the pod's guest; 0 where it has none any more. */
static guint
party_of (DnContainer *container)
{
  guint uid = 0;

  g_mutex_lock (&container->daemon->lock);
  if (container->context->guest != NULL)
    uid = dn_guest_uid (container->context->guest);
  g_mutex_unlock (&container->daemon->lock);
  return uid;
}

gboolean
dn_pod_volumes_plan (DnContainer *container, GError **error)
{
  DnPodMember *member = container->pod;

  member->mounts = plan_mounts (container, error);
  if (member->mounts == NULL
      || !dn_pod_facts_ask (member->mounts, party_of (container), &member->facts, error))
    return FALSE;
  dn_pod_facts_apply (&member->facts, member->mounts);
  return TRUE;
}

gboolean
dn_pod_volumes_restore (DnContainer *container, GError **error)
{
  container->pod->mounts = plan_mounts (container, error);
  if (container->pod->mounts == NULL)
    return FALSE;
  dn_pod_facts_apply (&container->pod->facts, container->pod->mounts);
  return TRUE;
}

gboolean
dn_pod_volumes_check (DnContainer *container, GError **error)
{
  g_autoptr (GPtrArray) mounts = plan_mounts (container, error);
  g_auto (DnPodFacts) facts = { NULL };

  return mounts != NULL && dn_pod_facts_ask (mounts, party_of (container), &facts, error);
}

/* What comes from the host by which name in the share. */
typedef struct
{
  const char *root;
  const char *rest;
  gboolean is_writable;
  guint index;
  DnShareVerb verb;
  const char *what;
} Shared;

static gboolean
share (DnGuest *guest, guint slot, const Shared *shared, GError **error)
{
  g_autofree DnShareSource *source = g_new0 (DnShareSource, 1);
  const DnGuestBind bind = { .what = shared->what,
                             .number = dn_binds_number (slot, shared->index),
                             .guest_uid = DN_POD_FIRST_UID,
                             .guest_gid = DN_POD_FIRST_UID,
                             .verb = shared->verb,
                             .source = source };
  DnShareAnswer answer;

  return dn_pod_facts_fill_source (shared->root, shared->rest, shared->is_writable, source, error)
         && dn_guest_bind (guest, &bind, &answer, error);
}

gboolean
dn_pod_volumes_share_root (DnContainer *container, DnGuest *guest, guint slot, GError **error)
{
  const Shared root = { .root = container->pod->rootfs,
                        .rest = "",
                        .is_writable = TRUE,
                        .verb = DN_SHARE_POD,
                        .what = "the container's root" };

  return share (guest, slot, &root, error);
}

static gboolean
share_mount (DnGuest *guest, guint slot, const DnPodMount *mount, DnShareVerb verb, GError **error)
{
  g_autofree char *what = g_strdup_printf ("mount '%s'", mount->mount->target);
  const Shared shared = { .root = mount->root,
                          .rest = mount->rest,
                          .is_writable = !mount->is_readonly,
                          .index = mount->number,
                          .verb = verb,
                          .what = what };

  return share (guest, slot, &shared, error);
}

/* (transfer full): where "..data" of a copied volume leads; NULL: nowhere */
static char *
read_version (const DnPodMount *mount)
{
  g_autofree char *path = g_build_filename (mount->root, mount->rest, DATA, NULL);

  return g_file_read_link (path, NULL);
}

gboolean
dn_pod_volumes_share (DnGuest *guest, guint slot, DnPodMount *mount, GError **error)
{
  if (mount->kind != DN_POD_MOUNT_COPY)
    return share_mount (guest, slot, mount, DN_SHARE_POD, error);
  g_free (mount->version);
  /* Before it is copied: what comes between is copied once more. */
  mount->version = read_version (mount);
  return share_mount (guest, slot, mount, DN_SHARE_COPY, error);
}

void
dn_pod_volumes_unshare (DnContainer *container, DnGuest *guest)
{
  guint slot;

  g_mutex_lock (&container->daemon->lock);
  slot = container->slot;
  g_mutex_unlock (&container->daemon->lock);
  dn_guest_unbind (guest, dn_binds_number (slot, 0));
  for (guint i = 0; i < container->pod->mounts->len; i++)
    {
      const DnPodMount *mount = container->pod->mounts->pdata[i];

      if (dn_pod_mount_is_shared (mount))
        dn_guest_unbind (guest, dn_binds_number (slot, mount->number));
    }
}

/* With op_lock held. */
static void
refresh_one (DnContainer *container, DnGuest *guest, DnPodMount *mount)
{
  g_autofree char *version = mount->kind == DN_POD_MOUNT_COPY ? read_version (mount) : NULL;
  g_autoptr (GError) error = NULL;

  if (version == NULL || g_strcmp0 (version, mount->version) == 0)
    return;
  if (!share_mount (guest, container->slot, mount, DN_SHARE_REFRESH, &error))
    g_warning ("container %s: %s", container->id, error->message);
  g_free (mount->version);
  mount->version = g_steal_pointer (&version);
}

static void
refresh (DnContainer *container)
{
  g_autoptr (DnGuest) guest = NULL;

  /* One that is being started or ended has its turn the next time. */
  if (!g_mutex_trylock (&container->op_lock))
    return;
  g_mutex_lock (&container->daemon->lock);
  if (container->state == DN_CONTAINER_RUNNING && container->in_guest
      && container->context->guest != NULL)
    guest = dn_guest_ref (container->context->guest);
  g_mutex_unlock (&container->daemon->lock);
  for (guint i = 0; guest != NULL && i < container->pod->mounts->len; i++)
    refresh_one (container, guest, container->pod->mounts->pdata[i]);
  g_mutex_unlock (&container->op_lock);
}

static gint is_refreshing;

static void
refresh_all (gpointer data)
{
  g_autoptr (GPtrArray) containers = dn_container_list (data);

  for (guint i = 0; i < containers->len; i++)
    if (((DnContainer *) containers->pdata[i])->pod != NULL)
      refresh (containers->pdata[i]);
  g_atomic_int_set (&is_refreshing, 0);
}

static gboolean
is_due (gpointer data)
{
  if (g_atomic_int_compare_and_exchange (&is_refreshing, 0, 1))
    dn_daemon_work (data, refresh_all, data);
  return G_SOURCE_CONTINUE;
}

void
dn_pod_volumes_watch (DnDaemon *daemon)
{
  (void) g_timeout_add_seconds (WATCH_S, is_due, daemon);
}
