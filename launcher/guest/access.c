/* SPDX-License-Identifier: Apache-2.0 */
#include "access.h"

#include <errno.h>
#include <sys/acl.h>
#include <sys/stat.h>

#include "../common/error.h"
#include "identity.h"

/* An ACL is read, changed and written as a whole: danchid's threads must not do so at once. */
static GMutex acl_lock;

gboolean
dn_access_is_open (const char *path, guint access)
{
  struct stat status;

  return stat (path, &status) == 0 && (status.st_mode & access) == access;
}

/* The entry of @uid, or NULL. */
static gboolean
find_entry (acl_t acl, guint uid, acl_entry_t *ret_entry)
{
  for (int which = ACL_FIRST_ENTRY; acl_get_entry (acl, which, ret_entry) == 1;
       which = ACL_NEXT_ENTRY)
    {
      acl_tag_t tag;
      uid_t *qualifier;
      gboolean is_it;

      if (acl_get_tag_type (*ret_entry, &tag) < 0 || tag != ACL_USER
          || (qualifier = acl_get_qualifier (*ret_entry)) == NULL)
        continue;
      is_it = *qualifier == uid;
      acl_free (qualifier);
      if (is_it)
        return TRUE;
    }
  return FALSE;
}

static gboolean
set_entry (acl_t *acl, guint uid, guint access)
{
  acl_entry_t entry;
  acl_permset_t permissions;
  const uid_t qualifier = uid;

  if (!find_entry (*acl, uid, &entry)
      && (acl_create_entry (acl, &entry) < 0 || acl_set_tag_type (entry, ACL_USER) < 0
          || acl_set_qualifier (entry, &qualifier) < 0))
    return FALSE;
  if (acl_get_permset (entry, &permissions) < 0 || acl_clear_perms (permissions) < 0)
    return FALSE;
  if ((access & DN_ACCESS_READ) != 0 && acl_add_perm (permissions, ACL_READ) < 0)
    return FALSE;
  if ((access & DN_ACCESS_WRITE) != 0 && acl_add_perm (permissions, ACL_WRITE) < 0)
    return FALSE;
  if ((access & DN_ACCESS_SEARCH) != 0 && acl_add_perm (permissions, ACL_EXECUTE) < 0)
    return FALSE;
  return acl_calc_mask (acl) == 0;
}

gboolean
dn_access_grant (const char *path, guint uid, guint access, GError **error)
{
  acl_t acl;
  gboolean is_done;
  int saved_errno;

  /* Mode bits of root's own nodes must not be widened for a uid that is no guest's. */
  g_return_val_if_fail (dn_identity_owns_uid (uid), FALSE);
  g_mutex_lock (&acl_lock);
  acl = acl_get_file (path, ACL_TYPE_ACCESS);
  is_done = acl != NULL && set_entry (&acl, uid, access)
            && acl_set_file (path, ACL_TYPE_ACCESS, acl) == 0;
  saved_errno = errno;
  if (acl != NULL)
    acl_free (acl);
  g_mutex_unlock (&acl_lock);
  errno = saved_errno;
  return is_done || dn_throw_errno (error, "access of uid %u to '%s' (an ACL entry)", uid, path);
}

gboolean
dn_access_revoke (const char *path, guint uid, GError **error)
{
  acl_t acl;
  acl_entry_t entry;
  gboolean is_done = TRUE;
  int saved_errno;

  g_mutex_lock (&acl_lock);
  acl = acl_get_file (path, ACL_TYPE_ACCESS);
  if (acl != NULL && find_entry (acl, uid, &entry))
    is_done = acl_delete_entry (acl, entry) == 0 && acl_calc_mask (&acl) == 0
              && acl_set_file (path, ACL_TYPE_ACCESS, acl) == 0;
  saved_errno = errno;
  if (acl != NULL)
    acl_free (acl);
  g_mutex_unlock (&acl_lock);
  errno = saved_errno;
  return is_done || errno == ENOENT
         || dn_throw_errno (error, "access of uid %u to '%s' (an ACL entry)", uid, path);
}

guint
dn_access_sweep (const char *path, gboolean (*is_in_use) (guint uid))
{
  g_autoptr (GArray) stale = g_array_new (FALSE, FALSE, sizeof (guint));
  acl_entry_t entry;
  acl_t acl;
  guint removed = 0;

  g_mutex_lock (&acl_lock);
  acl = acl_get_file (path, ACL_TYPE_ACCESS);
  for (int which = ACL_FIRST_ENTRY; acl != NULL && acl_get_entry (acl, which, &entry) == 1;
       which = ACL_NEXT_ENTRY)
    {
      acl_tag_t tag;
      uid_t *qualifier;
      guint uid;

      if (acl_get_tag_type (entry, &tag) < 0 || tag != ACL_USER
          || (qualifier = acl_get_qualifier (entry)) == NULL)
        continue;
      uid = *qualifier;
      acl_free (qualifier);
      if (dn_identity_owns_uid (uid))
        g_array_append_val (stale, uid);
    }
  if (acl != NULL)
    acl_free (acl);
  g_mutex_unlock (&acl_lock);
  for (guint i = 0; i < stale->len; i++)
    {
      guint uid = g_array_index (stale, guint, i);

      if (!is_in_use (uid) && dn_access_revoke (path, uid, NULL))
        removed++;
    }
  return removed;
}

char *
dn_access_find_barrier (const char *path)
{
  g_autofree char *parent = g_path_get_dirname (path);

  if (!dn_access_is_open (path, DN_ACCESS_READ))
    return g_strdup (path);
  for (;;)
    {
      g_autofree char *next = NULL;

      if (!dn_access_is_open (parent, DN_ACCESS_SEARCH))
        return g_steal_pointer (&parent);
      if (parent[0] != '/' || parent[1] == '\0')
        return NULL;
      next = g_path_get_dirname (parent);
      g_free (parent);
      parent = g_steal_pointer (&next);
    }
}
