/* SPDX-License-Identifier: Apache-2.0 */
#include "volume.h"

#include <string.h>
#include <sys/stat.h>

#include "../guest/guest.h"

const char *const dn_volume_scope_words[] = { "user", "tenant", "context", NULL };

void
dn_volume_scope_clear (DnVolumeScope *scope)
{
  g_clear_pointer (&scope->tenant, g_free);
  g_clear_pointer (&scope->context, g_free);
}

void
dn_volume_scope_copy (const DnVolumeScope *scope, DnVolumeScope *ret_copy)
{
  *ret_copy = *scope;
  ret_copy->tenant = g_strdup (scope->tenant);
  ret_copy->context = g_strdup (scope->context);
}

gboolean
dn_volume_scope_is_same (const DnVolumeScope *one, const DnVolumeScope *other)
{
  if (one->kind != other->kind)
    return FALSE;
  switch (one->kind)
    {
    case DN_VOLUME_OF_USER:
      return one->uid == other->uid;
    case DN_VOLUME_OF_TENANT:
      return g_str_equal (one->tenant, other->tenant);
    case DN_VOLUME_OF_CONTEXT:
      return g_str_equal (one->context, other->context);
    }
  g_assert_not_reached ();
}

char *
dn_volume_scope_to_words (const DnVolumeScope *scope)
{
  switch (scope->kind)
    {
    case DN_VOLUME_OF_USER:
      return g_strdup_printf ("uid %u", scope->uid);
    case DN_VOLUME_OF_TENANT:
      return g_strdup_printf ("tenant '%s'", scope->tenant);
    case DN_VOLUME_OF_CONTEXT:
      return g_strdup_printf ("context '%s'", scope->context);
    }
  g_assert_not_reached ();
}

static void
free_holder (gpointer data)
{
  DnVolumeHolder *holder = data;

  g_free (holder->context);
  g_hash_table_unref (holder->users);
  g_free (holder);
}

DnVolume *
dn_volume_new (const char *directory, const char *id)
{
  DnVolume *volume = g_new0 (DnVolume, 1);

  volume->ref_count = 1;
  g_strlcpy (volume->id, id, sizeof volume->id);
  volume->directory = g_build_filename (directory, id, NULL);
  volume->labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  volume->holders = g_ptr_array_new_with_free_func (free_holder);
  g_mutex_init (&volume->op_lock);
  return volume;
}

DnVolume *
dn_volume_ref (DnVolume *volume)
{
  g_atomic_int_inc (&volume->ref_count);
  return volume;
}

void
dn_volume_unref (DnVolume *volume)
{
  if (volume == NULL || !g_atomic_int_dec_and_test (&volume->ref_count))
    return;
  g_free (volume->name);
  dn_volume_scope_clear (&volume->scope);
  g_hash_table_unref (volume->labels);
  g_free (volume->directory);
  g_free (volume->container);
  g_ptr_array_unref (volume->holders);
  g_mutex_clear (&volume->op_lock);
  g_free (volume);
}

char *
dn_volume_disk_path (const DnVolume *volume)
{
  return g_build_filename (volume->directory, "disk.raw", NULL);
}

void
dn_volume_serial (const char *id, gboolean is_writable, char ret_serial[DN_DISK_SERIAL_BYTES + 1])
{
  (void) g_snprintf (ret_serial, DN_DISK_SERIAL_BYTES + 1, "%c%.*s",
                     is_writable ? DN_GUEST_VOLUME_WRITABLE : DN_GUEST_VOLUME_READONLY,
                     DN_DISK_SERIAL_BYTES - 1, id);
}

gboolean
dn_volume_has_serial (const char *id, const char *serial)
{
  return (serial[0] == DN_GUEST_VOLUME_WRITABLE || serial[0] == DN_GUEST_VOLUME_READONLY)
         && strlen (serial) == DN_DISK_SERIAL_BYTES
         && strncmp (serial + 1, id, DN_DISK_SERIAL_BYTES - 1) == 0;
}

guint64
dn_volume_used_bytes (const DnVolume *volume)
{
  g_autofree char *path = dn_volume_disk_path (volume);
  struct stat status;

  return stat (path, &status) == 0 ? (guint64) status.st_blocks * 512 : 0;
}
