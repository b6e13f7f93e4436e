/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "identity-use.h"

/* A claim is made before its journal entry is written: for this long it counts without one. */
#define CLAIM_GRACE_S 60

static const char *directory = DN_IDENTITY_DIRECTORY;

void
dn_identity_override_directory (const char *path)
{
  directory = path;
}

DnIdentity
dn_identity_of_slot (guint slot)
{
  return (DnIdentity){ .slot = slot,
                       .uid = DN_IDENTITY_UID_FIRST + slot,
                       .gid = DN_IDENTITY_UID_FIRST + slot,
                       .vsock_cid = DN_IDENTITY_CID_FIRST + slot };
}

gboolean
dn_identity_owns_uid (guint uid)
{
  return uid >= DN_IDENTITY_UID_FIRST && uid < DN_IDENTITY_UID_FIRST + DN_IDENTITY_SLOTS;
}

/* One at a time on the whole host. Returns: a descriptor that holds the lock, or -1 */
static int
lock_directory (GError **error)
{
  g_autofree char *path = g_build_filename (directory, "lock", NULL);
  dn_autofd int fd = -1;

  if (g_mkdir_with_parents (directory, 0700) < 0
      || (fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0
      || flock (fd, LOCK_EX) < 0)
    {
      dn_throw_errno (error, "slots in '%s'", directory);
      return -1;
    }
  return g_steal_fd (&fd);
}

static char *
claim_path (guint slot)
{
  return g_strdup_printf ("%s/%u", directory, slot);
}

static gboolean
claim_is_live (const char *path)
{
  g_autofree char *journal = NULL;
  struct stat status;

  if (stat (path, &status) < 0)
    return FALSE;
  if (status.st_mtime + CLAIM_GRACE_S > g_get_real_time () / G_USEC_PER_SEC)
    return TRUE;
  return g_file_get_contents (path, &journal, NULL, NULL) && journal[0] == '/'
         && g_file_test (journal, G_FILE_TEST_EXISTS);
}

/* Written and renamed, so that no claim is ever seen empty. */
static gboolean
write_claim (guint slot, const char *journal_path, GError **error)
{
  g_autofree char *path = claim_path (slot);

  return g_file_set_contents_full (path, journal_path, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                   error);
}

gboolean
dn_identity_take (const char *journal_path, DnIdentity *ret_identity, GError **error)
{
  return dn_identity_take_below (DN_IDENTITY_SLOTS, journal_path, ret_identity, error);
}

gboolean
dn_identity_take_below (guint slots, const char *journal_path, DnIdentity *ret_identity,
                        GError **error)
{
  dn_autofd int lock = lock_directory (error);
  g_autoptr (GHashTable) uses = lock >= 0 ? dn_identity_use_find_here () : NULL;

  if (lock < 0)
    return FALSE;
  for (guint slot = 0; slot < MIN (slots, DN_IDENTITY_SLOTS); slot++)
    {
      DnIdentity identity = dn_identity_of_slot (slot);
      g_autofree char *path = claim_path (slot);

      const char *use = g_hash_table_lookup (uses, GUINT_TO_POINTER (identity.uid));

      if (claim_is_live (path))
        continue;
      if (use != NULL)
        {
          g_message ("identity %u is kept back: it still owns %s", identity.uid, use);
          continue;
        }
      if (!write_claim (slot, journal_path, error))
        {
          g_prefix_error (error, "slot %u: ", slot);
          return FALSE;
        }
      *ret_identity = identity;
      return TRUE;
    }
  if (slots < DN_IDENTITY_SLOTS)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "all %u identities that have addresses are in use\n"
                     "widen [network] ipv4_pool in danchi.conf, or see danchi gc",
                     slots);
  return dn_throw (error, DN_ERROR_LIMIT, "all %d identities for guests are in use\nsee danchi gc",
                   DN_IDENTITY_SLOTS);
}

void
dn_identity_release (guint slot, const char *journal_path)
{
  g_autofree char *path = claim_path (slot);
  g_autofree char *holder = NULL;
  dn_autofd int lock = lock_directory (NULL);

  if (lock >= 0 && g_file_get_contents (path, &holder, NULL, NULL)
      && strcmp (holder, journal_path) == 0)
    (void) g_unlink (path);
}

void
dn_identity_each_unclaimed (const GArray *slots, DnIdentitySlotFunc each, gpointer data)
{
  dn_autofd int lock = lock_directory (NULL);

  for (guint i = 0; lock >= 0 && i < slots->len; i++)
    {
      guint slot = g_array_index (slots, guint, i);
      g_autofree char *path = claim_path (slot);

      if (!claim_is_live (path) && !each (slot, data))
        return;
    }
}

GPtrArray *
dn_identity_sweep (const char *journal_directory)
{
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  dn_autofd int lock = lock_directory (NULL);
  g_autoptr (GDir) claims = lock >= 0 ? g_dir_open (directory, 0, NULL) : NULL;
  const char *name;

  while (claims != NULL && (name = g_dir_read_name (claims)) != NULL)
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);
      g_autofree char *holder = NULL;
      g_autofree char *parent = NULL;

      if (!g_ascii_isdigit (name[0]) || claim_is_live (path)
          || !g_file_get_contents (path, &holder, NULL, NULL))
        continue;
      parent = g_path_get_dirname (holder);
      if (strcmp (parent, journal_directory) == 0 && g_unlink (path) == 0)
        g_ptr_array_add (removed, g_strdup_printf ("slot %s", name));
    }
  return g_steal_pointer (&removed);
}
