/* SPDX-License-Identifier: Apache-2.0 */
#include "bind-owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "../common/error.h"

#define ENTRY_BYTES_FIRST 4096
#define ENTRY_BYTES_MAX (4 * 1024 * 1024)
/* NGROUPS_MAX */
#define GROUPS_MAX 65536

/* What is needed of a user's entry. */
typedef struct
{
  char *name; /* owned; NULL: nobody knows him */
  char *home; /* owned */
  gid_t gid;
} User;

static void
clear_user (User *user)
{
  g_free (user->name);
  g_free (user->home);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (User, clear_user)

static void
find_user (guint uid, User *ret_user)
{
  *ret_user = (User){ NULL };
  for (gsize size = ENTRY_BYTES_FIRST; size <= ENTRY_BYTES_MAX; size *= 2)
    {
      g_autofree char *buffer = g_malloc (size);
      struct passwd entry, *found = NULL;
      int r = getpwuid_r (uid, &entry, buffer, size, &found);

      if (r == ERANGE)
        continue;
      if (r == 0 && found != NULL)
        *ret_user = (User){ g_strdup (found->pw_name), g_strdup (found->pw_dir), found->pw_gid };
      return;
    }
}

/* Groups that he has now.  (transfer full): NULL: not known */
static GArray *
list_groups (const User *user)
{
  int count = GROUPS_MAX;
  g_autoptr (GArray) groups = NULL;

  if (user->name == NULL)
    return NULL;
  groups = g_array_sized_new (FALSE, FALSE, sizeof (gid_t), GROUPS_MAX);
  g_array_set_size (groups, GROUPS_MAX);
  if (getgrouplist (user->name, user->gid, (gid_t *) (gpointer) groups->data, &count) < 0)
    return NULL;
  g_array_set_size (groups, (guint) count);
  return g_steal_pointer (&groups);
}

static gboolean
has_group (const GArray *groups, guint group)
{
  if (groups == NULL)
    return TRUE;
  for (guint i = 0; i < groups->len; i++)
    if (g_array_index (groups, gid_t, i) == group)
      return TRUE;
  return FALSE;
}

gboolean
dn_bind_owner_fill (guint uid, const DnBindRecord *record, DnShareSource *source, GError **error)
{
  g_auto (User) user = { NULL };
  g_autoptr (GArray) now = NULL;

  source->uid = uid;
  source->gid = record->gid;
  source->group_count = 0;
  if (uid == 0)
    return TRUE;
  find_user (uid, &user);
  now = list_groups (&user);
  if (!has_group (now, record->gid))
    source->gid = user.gid;
  for (guint i = 0; i < record->groups->len; i++)
    {
      guint group = g_array_index (record->groups, guint, i);

      if (!has_group (now, group))
        continue;
      if (source->group_count == DN_SHARE_GROUPS_MAX)
        return dn_throw (error, DN_ERROR_LIMIT, "bind: uid %u is in more than %d groups", uid,
                         DN_SHARE_GROUPS_MAX);
      source->groups[source->group_count++] = group;
    }
  return TRUE;
}

char *
dn_bind_owner_name (guint uid)
{
  g_auto (User) user = { NULL };

  find_user (uid, &user);
  return g_steal_pointer (&user.name);
}

char *
dn_bind_owner_home (guint uid)
{
  g_auto (User) user = { NULL };

  find_user (uid, &user);
  return g_steal_pointer (&user.home);
}
