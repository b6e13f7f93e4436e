/* SPDX-License-Identifier: Apache-2.0 */
/* How volumes come and go. */
#include "../common/error.h"
#include "../common/names.h"
#include "../daemon/daemon-record.h"
#include "../daemon/settings-file.h"
#include "../spec/mount-spec.h"
#include "volume-access.h"

/* What ext4's smallest with its journal takes, and a little to write to. */
#define LEAST_BYTES (32 * 1024 * 1024)
#define BLOCK_BYTES 4096

void
dn_volume_tell (DnDaemon *daemon, const DnVolume *volume, const char *action)
{
  const char *const attributes[] = { "tenant", volume->scope.tenant, NULL };

  if (volume->scope.kind == DN_VOLUME_OF_USER)
    dn_events_add_of (daemon->events, volume->scope.uid, "volume", action, volume->id, volume->name,
                      NULL, attributes);
  else
    dn_events_add (daemon->events, "volume", action, volume->id, volume->name,
                   volume->scope.context, attributes);
}

static DnVolume *
fill (DnRequest *request, const DnVolumeScope *scope, const DnVolumeWish *wish, guint64 bytes)
{
  DnVolumes *volumes = request->daemon->volumes;
  char id[DN_ID_BYTES + 1];
  DnVolume *volume;
  GHashTableIter iter;
  gpointer name, value;

  dn_id_new (id);
  volume = dn_volume_new (volumes->directory, id);
  volume->name = g_strdup (wish->name != NULL ? wish->name : id);
  dn_volume_scope_copy (scope, &volume->scope);
  volume->owner_uid = request->caller->uid;
  volume->created_us = g_get_real_time ();
  /* Whole blocks of a file system. */
  volume->size_bytes = bytes / BLOCK_BYTES * BLOCK_BYTES;
  volume->is_anonymous = wish->name == NULL;
  volume->is_encrypted = wish->is_encrypted;
  volume->container = g_strdup (wish->container);
  if (wish->labels != NULL)
    {
      g_hash_table_iter_init (&iter, wish->labels);
      while (g_hash_table_iter_next (&iter, &name, &value))
        g_hash_table_replace (volume->labels, g_strdup (name), g_strdup (value));
    }
  return volume;
}

DnVolume *
dn_volume_make (DnRequest *request, const DnVolumeScope *scope, const DnVolumeWish *wish,
                GError **error)
{
  DnDaemon *daemon = request->daemon;
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  const DnVolumeLimits limits
      = { .largest_bytes = settings->volume_largest_bytes,
          .total_bytes = settings->volume_total_bytes,
          .user_bytes
          = dn_caller_is_root (request->caller) ? 0 : settings->access.volume_bytes_per_user,
          .user_count = dn_caller_is_root (request->caller) ? 0 : settings->access.volumes_per_user,
          .file = settings->file };
  guint64 bytes = wish->size_bytes != 0
                      ? wish->size_bytes
                      : MIN (settings->volume_bytes, settings->volume_largest_bytes);
  g_autoptr (DnVolume) volume = NULL;

  if (bytes < LEAST_BYTES)
    {
      dn_throw (error, DN_ERROR_USAGE,
                "volume '%s': %" G_GUINT64_FORMAT
                " bytes are too few for a file system\nask for at least 32m",
                wish->name != NULL ? wish->name : "", bytes);
      return NULL;
    }
  volume = fill (request, scope, wish, bytes);
  if (!dn_volumes_create (daemon->volumes, volume, &limits, error))
    return NULL;
  if (wish->context != NULL)
    dn_daemon_record_act (daemon, "volume-created", wish->context, volume->name);
  dn_volume_tell (daemon, volume, "create");
  return g_steal_pointer (&volume);
}

void
dn_volume_drop_anonymous (DnDaemon *daemon, const char *container, gboolean is_kept)
{
  g_autoptr (GPtrArray) all = dn_volumes_list (daemon->volumes);

  for (guint i = 0; i < all->len; i++)
    {
      DnVolume *volume = all->pdata[i];
      g_autoptr (GError) error = NULL;
      gboolean is_its;

      g_mutex_lock (&daemon->volumes->lock);
      is_its = g_strcmp0 (volume->container, container) == 0;
      if (is_its && is_kept)
        g_clear_pointer (&volume->container, g_free);
      g_mutex_unlock (&daemon->volumes->lock);
      if (!is_its)
        continue;
      if (is_kept ? !dn_volumes_save (daemon->volumes, volume, &error)
                  : !dn_volumes_remove (daemon->volumes, volume, &error))
        g_warning ("volume '%s': %s", volume->name, error->message);
      else if (!is_kept)
        dn_volume_tell (daemon, volume, "destroy");
    }
}

/* Under the daemon's lock. */
static gboolean
names (const DnContainer *container, const DnVolume *volume)
{
  for (char **text = container->options->volumes; text != NULL && *text != NULL; text++)
    {
      g_autoptr (DnMountSpec) spec = dn_mount_spec_parse (*text, NULL);

      if (spec != NULL && spec->kind == DN_MOUNT_VOLUME && g_str_equal (spec->id, volume->id))
        return TRUE;
    }
  return FALSE;
}

static gint
compare (gconstpointer one, gconstpointer other)
{
  return g_strcmp0 (*(char *const *) one, *(char *const *) other);
}

GPtrArray *
dn_volume_list_users (DnDaemon *daemon, const DnVolume *volume)
{
  GPtrArray *users = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  DnContainer *container;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (!container->is_removed && names (container, volume))
      g_ptr_array_add (users, g_strdup (container->name));
  g_mutex_unlock (&daemon->lock);
  g_ptr_array_sort (users, compare);
  return users;
}
