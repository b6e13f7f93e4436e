/* SPDX-License-Identifier: Apache-2.0 */
#include "volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/names.h"
#include "../common/state-file.h"
#include "../daemon/tree.h"
#include "../guest/guest.h"

#define FILE_NAME "volume.json"
#define MAKING ".making"
#define REMOVING ".removing"
#define MIB (1024 * 1024)

static gboolean
is_leftover (const char *name)
{
  return g_str_has_suffix (name, MAKING) || g_str_has_suffix (name, REMOVING);
}

static DnVolume *
load (const char *directory, const char *id, GError **error)
{
  g_autoptr (DnVolume) volume = dn_volume_new (directory, id);
  g_autofree char *path = g_build_filename (volume->directory, FILE_NAME, NULL);
  g_autofree char *disk = dn_volume_disk_path (volume);
  g_autoptr (JsonNode) node = dn_state_file_read (path, error);
  struct stat status;

  if (node == NULL || !dn_volume_read (volume, json_node_get_object (node), path, error))
    return NULL;
  if (lstat (disk, &status) < 0 || !S_ISREG (status.st_mode))
    {
      dn_throw (error, DN_ERROR_CONFIG, "volume '%s': '%s' is missing", volume->name, disk);
      return NULL;
    }
  return g_steal_pointer (&volume);
}

DnVolumes *
dn_volumes_open (const char *directory, GError **error)
{
  g_autoptr (DnVolumes) volumes = g_new0 (DnVolumes, 1);
  g_autoptr (GDir) entries = NULL;
  const char *name;

  g_mutex_init (&volumes->lock);
  volumes->directory = g_strdup (directory);
  volumes->by_id
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) dn_volume_unref);
  /* QEMU passes through as a uid that may not list anything. */
  if (!dn_tree_make (directory, 0711, error))
    return NULL;
  entries = g_dir_open (directory, 0, NULL);
  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
    {
      g_autoptr (GError) local = NULL;
      DnVolume *volume = dn_id_is_hex (name, DN_ID_BYTES) ? load (directory, name, &local) : NULL;

      if (volume != NULL)
        g_hash_table_insert (volumes->by_id, volume->id, volume);
      else if (local != NULL)
        /* Left where it is: somebody's data, not ours to throw away. */
        g_warning ("volumes: '%s' is left out: %s", name, local->message);
    }
  return g_steal_pointer (&volumes);
}

void
dn_volumes_free (DnVolumes *volumes)
{
  if (volumes == NULL)
    return;
  g_hash_table_unref (volumes->by_id);
  g_free (volumes->directory);
  g_mutex_clear (&volumes->lock);
  g_free (volumes);
}

DnVolume *
dn_volumes_find_id (DnVolumes *volumes, const char *id)
{
  DnVolume *volume;

  g_mutex_lock (&volumes->lock);
  volume = g_hash_table_lookup (volumes->by_id, id);
  if (volume != NULL)
    dn_volume_ref (volume);
  g_mutex_unlock (&volumes->lock);
  return volume;
}

/* Under the lock; borrowed. */
static DnVolume *
find_name (DnVolumes *volumes, const DnVolumeScope *scope, const char *name)
{
  GHashTableIter iter;
  DnVolume *volume;

  g_hash_table_iter_init (&iter, volumes->by_id);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &volume))
    if (g_str_equal (volume->name, name) && dn_volume_scope_is_same (&volume->scope, scope))
      return volume;
  return NULL;
}

DnVolume *
dn_volumes_find_name (DnVolumes *volumes, const DnVolumeScope *scope, const char *name)
{
  DnVolume *volume;

  g_mutex_lock (&volumes->lock);
  volume = find_name (volumes, scope, name);
  if (volume != NULL)
    dn_volume_ref (volume);
  g_mutex_unlock (&volumes->lock);
  return volume;
}

static gint
compare (gconstpointer one, gconstpointer other)
{
  const DnVolume *a = *(DnVolume *const *) one;
  const DnVolume *b = *(DnVolume *const *) other;
  int r = g_strcmp0 (a->name, b->name);

  return r != 0 ? r : g_strcmp0 (a->id, b->id);
}

GPtrArray *
dn_volumes_list (DnVolumes *volumes)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_volume_unref);
  GHashTableIter iter;
  DnVolume *volume;

  g_mutex_lock (&volumes->lock);
  g_hash_table_iter_init (&iter, volumes->by_id);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &volume))
    g_ptr_array_add (list, dn_volume_ref (volume));
  g_mutex_unlock (&volumes->lock);
  g_ptr_array_sort (list, compare);
  return list;
}

static gboolean
check_limit (guint64 value, guint64 limit, guint64 unit, const char *what, const char *key,
             const char *file, GError **error)
{
  return limit == 0 || value <= limit
         || dn_throw (error, DN_ERROR_LIMIT,
                      "volume: %s would be %" G_GUINT64_FORMAT " %s, and %" G_GUINT64_FORMAT
                      " is the most\nfile '%s': %s = %" G_GUINT64_FORMAT
                      "; ask for a smaller one, or remove some with danchi volume rm",
                      what, (value + unit - 1) / unit, unit == 1 ? "volumes" : "MiB", limit / unit,
                      file, key, limit / unit);
}

/* Under the lock.  Sizes count as they were promised, not as they are used. */
static gboolean
check_limits (DnVolumes *volumes, const DnVolume *volume, const DnVolumeLimits *limits,
              GError **error)
{
  guint64 total = volume->size_bytes, own = volume->size_bytes, count = 1;
  GHashTableIter iter;
  DnVolume *other;

  g_hash_table_iter_init (&iter, volumes->by_id);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &other))
    {
      total += other->size_bytes;
      own += other->owner_uid == volume->owner_uid ? other->size_bytes : 0;
      count += other->owner_uid == volume->owner_uid;
    }
  return check_limit (volume->size_bytes, limits->largest_bytes, MIB, "its size",
                      "[volumes] largest_mib", limits->file, error)
         && check_limit (total, limits->total_bytes, MIB, "all volumes of this host together",
                         "[volumes] total_mib", limits->file, error)
         && check_limit (own, limits->user_bytes, MIB, "all volumes of this user together",
                         "[limits] volume_mib_per_user", limits->file, error)
         && check_limit (count, limits->user_count, 1, "the number for this user",
                         "[limits] volumes_per_user", limits->file, error);
}

static gboolean
make_disk (const char *path, guint64 bytes, GError **error)
{
  dn_autofd int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

  return (fd >= 0 && ftruncate (fd, (off_t) bytes) == 0 && fsync (fd) == 0)
         || dn_throw_errno (error, "disk '%s': making", path);
}

/* Under the lock, since the name is checked and taken: a few small files. */
static gboolean
make_files (DnVolumes *volumes, DnVolume *volume, GError **error)
{
  g_autofree char *making = g_strconcat (volume->directory, MAKING, NULL);
  g_autofree char *file = g_build_filename (making, FILE_NAME, NULL);
  g_autofree char *disk = g_build_filename (making, "disk.raw", NULL);
  g_autoptr (JsonNode) node = dn_volume_print (volume);

  if (dn_tree_make (making, 0711, error) && make_disk (disk, volume->size_bytes, error)
      && dn_state_file_write (file, node, error) && dn_state_file_sync_directory (making, error))
    {
      if (rename (making, volume->directory) == 0)
        return dn_state_file_sync_directory (volumes->directory, error);
      dn_throw_errno (error, "directory '%s': making", volume->directory);
    }
  (void) dn_tree_remove (making, NULL);
  return FALSE;
}

gboolean
dn_volumes_create (DnVolumes *volumes, DnVolume *volume, const DnVolumeLimits *limits,
                   GError **error)
{
  g_autofree char *scope = dn_volume_scope_to_words (&volume->scope);
  gboolean is_fine;

  g_mutex_lock (&volumes->lock);
  if (find_name (volumes, &volume->scope, volume->name) != NULL)
    is_fine = dn_throw (error, DN_ERROR_CONFLICT, "volume '%s': %s has one of this name already",
                        volume->name, scope);
  else
    is_fine = (limits == NULL || check_limits (volumes, volume, limits, error))
              && make_files (volumes, volume, error);
  if (is_fine)
    g_hash_table_insert (volumes->by_id, volume->id, dn_volume_ref (volume));
  g_mutex_unlock (&volumes->lock);
  return is_fine;
}

gboolean
dn_volumes_remove (DnVolumes *volumes, DnVolume *volume, GError **error)
{
  g_autofree char *away = g_strconcat (volume->directory, REMOVING, NULL);
  gboolean is_fine = TRUE;

  g_mutex_lock (&volumes->lock);
  if (volume->is_removed)
    is_fine
        = dn_throw (error, DN_ERROR_NOT_FOUND, "volume '%s': was removed meanwhile", volume->name);
  else if (volume->holders->len > 0)
    is_fine = dn_throw (error, DN_ERROR_CONFLICT, "volume '%s': the guest of context '%s' has it",
                        volume->name, ((DnVolumeHolder *) volume->holders->pdata[0])->context);
  else if (rename (volume->directory, away) < 0)
    is_fine = dn_throw_errno (error, "directory '%s': removing", volume->directory);
  if (is_fine)
    {
      volume->is_removed = TRUE;
      g_hash_table_remove (volumes->by_id, volume->id);
    }
  g_mutex_unlock (&volumes->lock);
  return is_fine && dn_state_file_sync_directory (volumes->directory, error)
         && dn_tree_remove (away, error);
}

gboolean
dn_volumes_save (DnVolumes *volumes, DnVolume *volume, GError **error)
{
  g_autofree char *path = g_build_filename (volume->directory, FILE_NAME, NULL);
  g_autoptr (JsonNode) node = NULL;

  g_mutex_lock (&volumes->lock);
  node = dn_volume_print (volume);
  g_mutex_unlock (&volumes->lock);
  return dn_state_file_write (path, node, error);
}

void
dn_volumes_sweep (DnVolumes *volumes, GPtrArray *removed)
{
  g_autoptr (GPtrArray) all = dn_volumes_list (volumes);
  g_autoptr (GDir) entries = NULL;
  const char *name;

  /* Not while one is made. */
  g_mutex_lock (&volumes->lock);
  entries = g_dir_open (volumes->directory, 0, NULL);
  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *path = g_build_filename (volumes->directory, name, NULL);

      if (is_leftover (name) && dn_tree_remove (path, NULL))
        g_ptr_array_add (removed, g_strdup_printf ("half a volume, '%s'", path));
    }
  g_mutex_unlock (&volumes->lock);
  for (guint i = 0; i < all->len; i++)
    {
      g_autofree char *path = dn_volume_disk_path (all->pdata[i]);
      guint count = dn_guest_sweep_access (path);

      if (count > 0)
        g_ptr_array_add (removed, g_strdup_printf ("%u ACL entries of '%s'", count, path));
    }
}

gboolean
dn_volumes_claim (DnVolumes *volumes, DnVolume *volume, const DnVolumeClaim *claim, GError **error)
{
  gboolean is_fine;

  g_mutex_lock (&volumes->lock);
  is_fine = dn_volume_claim (volume, claim, error);
  g_mutex_unlock (&volumes->lock);
  return is_fine;
}

gboolean
dn_volumes_unclaim (DnVolumes *volumes, DnVolume *volume, const char *context,
                    const char *container)
{
  const DnVolumeHolder *holder;
  gboolean is_idle;

  g_mutex_lock (&volumes->lock);
  dn_volume_unclaim (volume, context, container);
  holder = dn_volume_find_holder (volume, context);
  is_idle = holder != NULL && g_hash_table_size (holder->users) == 0;
  g_mutex_unlock (&volumes->lock);
  return is_idle;
}

void
dn_volumes_let_go (DnVolumes *volumes, DnVolume *volume, const char *context)
{
  g_mutex_lock (&volumes->lock);
  dn_volume_let_go (volume, context);
  g_mutex_unlock (&volumes->lock);
}

gboolean
dn_volumes_is_open (DnVolumes *volumes, DnVolume *volume, const char *context)
{
  const DnVolumeHolder *holder;
  gboolean is_open;

  g_mutex_lock (&volumes->lock);
  holder = dn_volume_find_holder (volume, context);
  is_open = holder != NULL && holder->is_open;
  g_mutex_unlock (&volumes->lock);
  return is_open;
}

void
dn_volumes_guest_gone (DnVolumes *volumes, const char *context)
{
  GHashTableIter iter;
  DnVolume *volume;

  g_mutex_lock (&volumes->lock);
  g_hash_table_iter_init (&iter, volumes->by_id);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &volume))
    dn_volume_let_go (volume, context);
  g_mutex_unlock (&volumes->lock);
}
