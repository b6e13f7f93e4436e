/* SPDX-License-Identifier: Apache-2.0 */
/* Removes what belongs to no guest in this process's hands: by journal first, then by looking. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/error.h"
#include "../common/paths.h"
#include "../network/gateway.h"
#include "access.h"
#include "boot-files.h"
#include "domain-xml.h"
#include "guest-private.h"
#include "hypervisor.h"
#include "identity.h"
#include "journal.h"

#define DESTROY_TIMEOUT_MS 10000

static void
take_lines (GPtrArray *removed, GPtrArray *lines)
{
  for (guint i = 0; i < lines->len; i++)
    g_ptr_array_add (removed, g_strdup (g_ptr_array_index (lines, i)));
  g_ptr_array_unref (lines);
}

static void
undo_journaled (GPtrArray *removed)
{
  g_autoptr (GPtrArray) ids = dn_journal_list ();

  for (guint i = 0; i < ids->len; i++)
    {
      const char *id = g_ptr_array_index (ids, i);
      g_autoptr (GError) error = NULL;
      g_autoptr (DnJournalEntry) entry = NULL;

      /* Asked before reading and again after: a guest registers before it writes its entry. */
      if (dn_guest_is_registered (id))
        continue;
      entry = dn_journal_read (id, &error);
      if (entry != NULL && !dn_guest_is_registered (id))
        (void) dn_guest_undo (entry, removed);
      else if (entry == NULL && error->code != DN_ERROR_NOT_FOUND)
        g_warning ("%s", error->message);
    }
}

/* Domains that carry our mark and have no entry: a journal that was lost. */
static gboolean
destroy_orphans (GPtrArray *removed, GError **error)
{
  g_autoptr (GPtrArray) names
      = dn_hypervisor_list (DN_DOMAIN_NAME_PREFIX, DN_DOMAIN_METADATA_URI, dn_paths ()->run, error);

  if (names == NULL)
    return FALSE;
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      const char *id = name + strlen (DN_DOMAIN_NAME_PREFIX);
      g_autofree char *journal = dn_journal_path (id);

      if (dn_guest_is_registered (id) || g_file_test (journal, G_FILE_TEST_EXISTS))
        continue;
      if (dn_hypervisor_destroy (name, DESTROY_TIMEOUT_MS, NULL))
        g_ptr_array_add (removed, g_strdup_printf ("domain '%s'", name));
    }
  return TRUE;
}

/* Directories TOP/guests/ID without a journal entry. */
static void
remove_directories (const char *top, GPtrArray *removed)
{
  g_autofree char *path = g_build_filename (top, "guests", NULL);
  g_autoptr (GDir) guests = g_dir_open (path, 0, NULL);
  const char *id;

  while (guests != NULL && (id = g_dir_read_name (guests)) != NULL)
    {
      g_autofree char *directory = g_build_filename (path, id, NULL);
      g_autofree char *journal = dn_journal_path (id);

      if (!dn_domain_name_is_valid (id) || dn_guest_is_registered (id)
          || g_file_test (journal, G_FILE_TEST_EXISTS))
        continue;
      if (dn_guest_remove_directory (directory))
        g_ptr_array_add (removed, g_strdup_printf ("directory '%s'", directory));
    }
}

/* Whether an identity's uid is some guest's, of this danchid or another. */
static gboolean
uid_is_in_use (guint uid)
{
  g_autofree char *claim
      = g_strdup_printf (DN_IDENTITY_DIRECTORY "/%u", uid - DN_IDENTITY_UID_FIRST);

  return dn_guest_uid_is_registered (uid) || g_file_test (claim, G_FILE_TEST_EXISTS);
}

guint
dn_guest_sweep_access (const char *path)
{
  return dn_access_sweep (path, uid_is_in_use);
}

static void
revoke_access (GPtrArray *removed)
{
  static const char *const paths[] = { "/dev/kvm", "/var/lib/libvirt/qemu" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      guint count = dn_access_sweep (paths[i], uid_is_in_use);

      if (count > 0)
        g_ptr_array_add (removed, g_strdup_printf ("%u ACL entries of '%s'", count, paths[i]));
    }
}

/* Temporary files of journal writes that a crash cut short. */
static void
remove_leftovers (const char *journal_directory)
{
  g_autoptr (GDir) files = g_dir_open (journal_directory, 0, NULL);
  const char *name;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL)
    {
      g_autofree char *path = g_build_filename (journal_directory, name, NULL);
      struct stat status;

      /* A write under way takes milliseconds. */
      if (name[0] == '.' && lstat (path, &status) == 0 && S_ISREG (status.st_mode)
          && status.st_mtime + 60 < g_get_real_time () / G_USEC_PER_SEC)
        (void) g_unlink (path);
    }
}

GPtrArray *
dn_guest_gc (GError **error)
{
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *journal_directory = g_build_filename (dn_paths ()->run, "journal", NULL);

  dn_guest_watch_domains ();
  undo_journaled (removed);
  remove_leftovers (journal_directory);
  remove_directories (dn_paths ()->run, removed);
  remove_directories (dn_paths ()->state, removed);
  take_lines (removed, dn_identity_sweep (journal_directory));
  revoke_access (removed);
  dn_gateway_sweep (removed);
  take_lines (removed, dn_boot_files_sweep ());
  /* Last, since it is the only part that needs libvirt. */
  if (!destroy_orphans (removed, error))
    return NULL;
  return g_steal_pointer (&removed);
}
