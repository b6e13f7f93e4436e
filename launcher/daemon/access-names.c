/* SPDX-License-Identifier: Apache-2.0 */
#include "access-names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

/* As caller.c has it. */
#define ENTRY_BYTES_MAX (4 * 1024 * 1024)

/* Only what the database says for sure: one that cannot be asked knows perhaps. */
static gboolean
is_unknown_user (const char *name)
{
  g_autofree char *buffer = g_malloc (ENTRY_BYTES_MAX);
  struct passwd entry, *found = NULL;

  return getpwnam_r (name, &entry, buffer, ENTRY_BYTES_MAX, &found) == 0 && found == NULL;
}

static gboolean
is_unknown_group (const char *name)
{
  g_autofree char *buffer = g_malloc (ENTRY_BYTES_MAX);
  struct group entry, *found = NULL;

  return getgrnam_r (name, &entry, buffer, ENTRY_BYTES_MAX, &found) == 0 && found == NULL;
}

static void
add_unknown (char **words, const char *key, gboolean (*is_unknown) (const char *name),
             GPtrArray *ret_unknown)
{
  for (; words != NULL && *words != NULL; words++)
    if (strspn (*words, "0123456789") != strlen (*words) && is_unknown (*words))
      g_ptr_array_add (ret_unknown, g_strdup_printf ("%s: %s", key, *words));
}

void
dn_access_names_add_unknown (char **users, const char *users_key, char **groups,
                             const char *groups_key, GPtrArray *ret_unknown)
{
  add_unknown (users, users_key, is_unknown_user, ret_unknown);
  add_unknown (groups, groups_key, is_unknown_group, ret_unknown);
}

GPtrArray *
dn_access_names_unknown (const DnAccessRules *rules)
{
  GPtrArray *unknown = g_ptr_array_new_with_free_func (g_free);

  dn_access_names_add_unknown (rules->users, "users", rules->groups, "groups", unknown);
  dn_access_names_add_unknown (rules->readers, "readers", rules->reader_groups, "reader_groups",
                               unknown);
  return unknown;
}
