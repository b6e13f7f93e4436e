/* SPDX-License-Identifier: Apache-2.0 */
/* Disks that come and go while a guest runs; its console for a user. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "access.h"
#include "domain-xml.h"
#include "guest-private.h"
#include "hypervisor.h"
#include "identity.h"

#define DETACH_POLL_US (100 * 1000)

static gboolean
check_running (DnGuest *guest, GError **error)
{
  return dn_guest_is_running (guest)
         || dn_throw (error, DN_ERROR_GUEST, "guest of context '%s': it is not running",
                      guest->context);
}

/* Under journal_lock. */
static DnJournalDisk *
find_disk (const DnGuest *guest, const char *serial, guint *ret_index)
{
  for (guint i = 0; i < guest->entry->disks->len; i++)
    {
      DnJournalDisk *disk = g_ptr_array_index (guest->entry->disks, i);

      if (strcmp (disk->serial, serial) != 0)
        continue;
      *ret_index = i;
      return disk;
    }
  return NULL;
}

GPtrArray *
dn_guest_list_attached (DnGuest *guest)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);

  g_mutex_lock (&guest->journal_lock);
  for (guint i = 0; i < guest->entry->disks->len; i++)
    {
      const DnJournalDisk *disk = g_ptr_array_index (guest->entry->disks, i);

      g_ptr_array_add (paths, g_strdup (disk->path));
    }
  g_mutex_unlock (&guest->journal_lock);
  g_ptr_array_add (paths, NULL);
  return paths;
}

GPtrArray *
dn_guest_list_serials (DnGuest *guest)
{
  GPtrArray *serials = g_ptr_array_new_with_free_func (g_free);

  g_mutex_lock (&guest->journal_lock);
  for (guint i = 0; i < guest->entry->disks->len; i++)
    {
      const DnJournalDisk *disk = g_ptr_array_index (guest->entry->disks, i);

      g_ptr_array_add (serials, g_strdup (disk->serial));
    }
  g_mutex_unlock (&guest->journal_lock);
  return serials;
}

static gboolean
is_device (const char *serial)
{
  return serial[0] == DN_GUEST_DEVICE_WRITABLE || serial[0] == DN_GUEST_DEVICE_READONLY;
}

/* Whether it outlives the guest, and its uid has been let at it. */
static gboolean
is_kept (const char *serial)
{
  return serial[0] == DN_GUEST_VOLUME_WRITABLE || serial[0] == DN_GUEST_VOLUME_READONLY
         || is_device (serial);
}

/* Under journal_lock.  Whoever runs without root's rights has nothing to give: all is its own. */
static void
add_grant (DnJournalEntry *entry, const char *path)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (!dn_identity_owns_uid (entry->uid))
    return;
  g_strv_builder_addv (builder, (const char **) entry->grants);
  g_strv_builder_add (builder, path);
  g_strfreev (entry->grants);
  entry->grants = g_strv_builder_end (builder);
}

static void
remove_grant (DnJournalEntry *entry, const char *path)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (char **grant = entry->grants; *grant != NULL; grant++)
    if (!g_str_equal (*grant, path))
      g_strv_builder_add (builder, *grant);
  g_strfreev (entry->grants);
  entry->grants = g_strv_builder_end (builder);
}

static gboolean
port_is_taken (const DnGuest *guest, guint port)
{
  for (guint i = 0; i < guest->entry->disks->len; i++)
    if (((const DnJournalDisk *) g_ptr_array_index (guest->entry->disks, i))->port == port)
      return TRUE;
  return FALSE;
}

/* Takes a port and writes it to the journal. */
static gboolean
reserve_port (DnGuest *guest, const DnGuestDisk *disk, guint *ret_port, GError **error)
{
  DnJournalEntry *entry = guest->entry;
  gboolean is_done = FALSE;
  guint port = 0, index;

  g_mutex_lock (&guest->journal_lock);
  while (port < entry->spare_disks && port_is_taken (guest, port))
    port++;
  if (find_disk (guest, disk->serial, &index) != NULL)
    dn_throw (error, DN_ERROR_CONFLICT, "disk '%s': the guest has it already", disk->serial);
  else if (port == entry->spare_disks)
    dn_throw (
        error, DN_ERROR_LIMIT,
        "guest of context '%s': all %u ports for disks are in use\n"
        "stop a container of another image or with volumes (of a pod, one whose root is a device), "
        "or give guests more: [guest] "
        "image_disks in danchi.conf",
        guest->context, entry->spare_disks);
  else
    {
      g_ptr_array_add (entry->disks, dn_journal_disk_new (disk->path, disk->serial, port));
      if (disk->is_kept)
        add_grant (entry, disk->path);
      is_done = dn_journal_write (entry, error);
      if (!is_done)
        g_ptr_array_set_size (entry->disks, (gint) entry->disks->len - 1);
      if (!is_done && disk->is_kept)
        remove_grant (entry, disk->path);
      *ret_port = port;
    }
  g_mutex_unlock (&guest->journal_lock);
  return is_done;
}

static void
release_port (DnGuest *guest, const char *serial)
{
  const DnJournalDisk *disk;
  guint index;

  g_mutex_lock (&guest->journal_lock);
  disk = find_disk (guest, serial, &index);
  if (disk != NULL)
    {
      if (is_kept (serial))
        {
          (void) dn_access_revoke (disk->path, guest->entry->uid, NULL);
          remove_grant (guest->entry, disk->path);
        }
      g_ptr_array_remove_index (guest->entry->disks, index);
      if (dn_guest_is_running (guest))
        (void) dn_journal_write (guest->entry, NULL);
    }
  g_mutex_unlock (&guest->journal_lock);
}

/* Lets the guest's uid at it. */
static gboolean
grant (const DnGuest *guest, const DnGuestDisk *disk, GError **error)
{
  return !disk->is_kept || !dn_identity_owns_uid (guest->entry->uid)
         || dn_access_grant (disk->path, guest->entry->uid,
                             disk->is_readonly ? DN_ACCESS_READ : DN_ACCESS_READ | DN_ACCESS_WRITE,
                             error);
}

/* The limits of now, which all its disks share: a disk that came with older ones would bring those
 * back for all. */
static gboolean
attach_with_limits (DnGuest *guest, const DnGuestDisk *disk, guint port, GError **error)
{
  g_autofree char *xml = NULL;
  gboolean is_done;

  g_mutex_lock (&guest->limit_lock);
  xml = dn_domain_xml_build_spare_disk (disk, &guest->entry->limits, port, error);
  is_done = xml != NULL && dn_hypervisor_attach (guest->domain, xml, error);
  g_mutex_unlock (&guest->limit_lock);
  return is_done;
}

static gboolean
attach (DnGuest *guest, const DnGuestDisk *disk, GError **error)
{
  guint port;

  if (!check_running (guest, error))
    return FALSE;
  if (!reserve_port (guest, disk, &port, error))
    return FALSE;
  if (!grant (guest, disk, error) || !attach_with_limits (guest, disk, port, error))
    {
      g_prefix_error (error, "guest of context '%s': disk '%s': ", guest->context, disk->serial);
      release_port (guest, disk->serial);
      return FALSE;
    }
  return TRUE;
}

gboolean
dn_guest_attach_disk (DnGuest *guest, const DnGuestDisk *disk, GError **error)
{
  /* Nobody has given it to the guest's uid; dn_guest_attach_scratch() does. */
  if (!disk->is_readonly)
    return dn_throw (error, DN_ERROR_USAGE, "disk '%s': only read-only disks can be attached",
                     disk->serial);
  return attach (guest, disk, error);
}

gboolean
dn_guest_attach_volume (DnGuest *guest, const char *path, const char *serial, GError **error)
{
  g_autoptr (DnGuestDisk) disk
      = dn_guest_disk_new (path, serial, serial[0] == DN_GUEST_VOLUME_READONLY);

  disk->is_kept = TRUE;
  return attach (guest, disk, error);
}

gboolean
dn_guest_attach_device (DnGuest *guest, const char *path, const char *serial, GError **error)
{
  g_autoptr (DnGuestDisk) disk
      = dn_guest_disk_new (path, serial, serial[0] == DN_GUEST_DEVICE_READONLY);
  struct stat status;

  if (!g_str_has_prefix (path, "/dev/") || lstat (path, &status) < 0 || !S_ISBLK (status.st_mode))
    return dn_throw (error, DN_ERROR_FAILED, "device '%s': is no block device", path);
  disk->is_kept = disk->is_device = TRUE;
  return attach (guest, disk, error);
}

static char *
scratch_file (const DnGuest *guest, const char *serial)
{
  g_autofree char *directory = dn_guest_scratch_path (guest->id);

  return g_strdup_printf ("%s/%s.raw", directory, serial);
}

/* 0711, as all that a guest's uid passes through. */
static gboolean
make_scratch_directory (const DnGuest *guest, GError **error)
{
  g_autofree char *directory = dn_guest_scratch_path (guest->id);
  g_autofree char *parent = g_path_get_dirname (directory);

  if ((g_mkdir (parent, 0711) < 0 && errno != EEXIST)
      || (g_mkdir (directory, 0711) < 0 && errno != EEXIST) || chmod (parent, 0711) < 0
      || chmod (directory, 0711) < 0)
    return dn_throw_errno (error, "directory '%s'", directory);
  return TRUE;
}

static gboolean
make_scratch (const DnGuest *guest, const char *path, guint64 bytes, GError **error)
{
  dn_autofd int fd = -1;

  if (!make_scratch_directory (guest, error))
    return FALSE;
  fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return dn_throw_errno (error, "scratch disk '%s'", path);
  if (ftruncate (fd, (off_t) bytes) < 0 || fchown (fd, guest->entry->uid, guest->entry->gid) < 0)
    {
      dn_throw_errno (error, "scratch disk '%s'", path);
      (void) g_unlink (path);
      return FALSE;
    }
  return TRUE;
}

gboolean
dn_guest_attach_scratch (DnGuest *guest, const char *serial, guint64 bytes, GError **error)
{
  g_autofree char *path = scratch_file (guest, serial);
  g_autoptr (DnGuestDisk) disk = dn_guest_disk_new (path, serial, FALSE);

  if (!check_running (guest, error) || !make_scratch (guest, path, bytes, error))
    return FALSE;
  if (attach (guest, disk, error))
    return TRUE;
  (void) g_unlink (path);
  return FALSE;
}

gboolean
dn_guest_detach_scratch (DnGuest *guest, const char *serial, GError **error)
{
  g_autofree char *path = scratch_file (guest, serial);
  gboolean is_fine = dn_guest_detach_disk (guest, serial, error);

  (void) g_unlink (path);
  return is_fine;
}

gboolean
dn_guest_detach_disk (DnGuest *guest, const char *serial, GError **error)
{
  g_autoptr (DnGuestDisk) disk = NULL;
  g_autofree char *xml = NULL;
  DnJournalDisk *known;
  guint port = 0, index;
  gboolean has_disk = TRUE;

  if (!check_running (guest, error))
    return FALSE;
  g_mutex_lock (&guest->journal_lock);
  known = find_disk (guest, serial, &index);
  if (known != NULL)
    {
      g_autofree char *scratch = scratch_file (guest, serial);

      disk = dn_guest_disk_new (known->path, known->serial,
                                !g_str_equal (known->path, scratch)
                                    && serial[0] != DN_GUEST_VOLUME_WRITABLE
                                    && serial[0] != DN_GUEST_DEVICE_WRITABLE);
      disk->is_kept = is_kept (serial);
      disk->is_device = is_device (serial);
      port = known->port;
    }
  g_mutex_unlock (&guest->journal_lock);
  if (disk == NULL)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "disk '%s': the guest of context '%s' has none",
                     serial, guest->context);
  xml = dn_domain_xml_build_spare_disk (disk, NULL, port, error);
  if (xml == NULL || !dn_hypervisor_detach (guest->domain, xml, error)
      || !dn_hypervisor_has_disk (guest->domain, serial, &has_disk, error))
    return FALSE;
  /* A guest that does not let go keeps its port taken; asking again later is allowed. */
  if (has_disk)
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "disk '%s': the guest of context '%s' has not let go of it yet", serial,
                     guest->context);
  release_port (guest, serial);
  return TRUE;
}

/* libvirt has been asked to detach it and would refuse to be asked again. */
static gboolean
wait_detached (DnGuest *guest, const char *serial, gint64 end_us, GError **error)
{
  gboolean has_disk = TRUE;

  while (check_running (guest, error)
         && dn_hypervisor_has_disk (guest->domain, serial, &has_disk, error))
    {
      if (!has_disk)
        {
          release_port (guest, serial);
          return TRUE;
        }
      if (g_get_monotonic_time () > end_us)
        return dn_throw (error, DN_ERROR_GUEST,
                         "disk '%s': the guest of context '%s' does not let go of it", serial,
                         guest->context);
      g_usleep (DETACH_POLL_US);
    }
  return FALSE;
}

gboolean
dn_guest_detach_disk_waiting (DnGuest *guest, const char *serial, guint timeout_ms, GError **error)
{
  gint64 end_us = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  g_autoptr (GError) local = NULL;

  if (dn_guest_detach_disk (guest, serial, &local))
    return TRUE;
  if (g_error_matches (local, DN_ERROR, DN_ERROR_CONFLICT))
    return wait_detached (guest, serial, end_us, error);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

int
dn_guest_open_console (DnGuest *guest, GError **error)
{
  g_autofree char *path = g_build_filename (guest->directory, "console.ring", NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

  if (fd < 0)
    dn_throw_errno (error, "console of the guest of context '%s'", guest->context);
  return fd;
}
