/* SPDX-License-Identifier: Apache-2.0 */
#include "host-access.h"

#include <string.h>

#include "../common/error.h"

#define MIB (1024 * 1024)

void
dn_host_access_init (DnHostAccess *access)
{
  *access = (DnHostAccess){ .socket_group = g_strdup ("root"),
                            .ephemeral_users = g_new0 (char *, 1),
                            .ephemeral_groups = g_new0 (char *, 1),
                            .load_users = g_new0 (char *, 1),
                            .load_groups = g_new0 (char *, 1) };
}

void
dn_host_access_clear (DnHostAccess *access)
{
  g_clear_pointer (&access->socket_group, g_free);
  g_clear_pointer (&access->ephemeral_users, g_strfreev);
  g_clear_pointer (&access->ephemeral_groups, g_strfreev);
  g_clear_pointer (&access->load_users, g_strfreev);
  g_clear_pointer (&access->load_groups, g_strfreev);
}

void
dn_host_access_fill_keys (DnHostAccess *access, DnKey *ret_keys)
{
  const DnKey keys[DN_HOST_ACCESS_KEYS] = {
    { "access", "socket_group", DN_KEY_WORD, &access->socket_group, 0, 0, 0, NULL },
    { "access", "ephemeral_users", DN_KEY_WORDS, &access->ephemeral_users, 0, 0, 0, NULL },
    { "access", "ephemeral_groups", DN_KEY_WORDS, &access->ephemeral_groups, 0, 0, 0, NULL },
    { "access", "load_users", DN_KEY_WORDS, &access->load_users, 0, 0, 0, NULL },
    { "access", "load_groups", DN_KEY_WORDS, &access->load_groups, 0, 0, 0, NULL },
    { "limits", "contexts_per_user", DN_KEY_INTEGER, &access->contexts_per_user, 0, 4096, 1, NULL },
    { "limits", "containers_per_user", DN_KEY_INTEGER, &access->containers_per_user, 0, 4096, 1,
      NULL },
    { "limits", "memory_mib_per_user", DN_KEY_INTEGER, &access->memory_bytes_per_user, 0, 16777216,
      MIB, NULL },
    { "limits", "volumes_per_user", DN_KEY_INTEGER, &access->volumes_per_user, 0, 4096, 1, NULL },
    { "limits", "volume_mib_per_user", DN_KEY_INTEGER, &access->volume_bytes_per_user, 0,
      1073741824, MIB, NULL },
  };

  memcpy (ret_keys, keys, sizeof keys);
}

gboolean
dn_host_access_makes (const DnHostAccess *access, const DnPrincipal *principal)
{
  return principal->uid == 0
         || dn_access_match (access->ephemeral_users, access->ephemeral_groups, principal) != NULL;
}

gboolean
dn_host_access_loads (const DnHostAccess *access, const DnPrincipal *principal)
{
  return principal->uid == 0
         || dn_access_match (access->load_users, access->load_groups, principal) != NULL;
}

gboolean
dn_host_access_check_use (const DnHostAccess *access, const DnUse *use, guint uid, const char *file,
                          GError **error)
{
  const struct
  {
    const char *what;
    const char *key;
    guint64 value;
    guint64 limit;
    guint64 unit;
  } limits[] = {
    { "contexts of its own", "contexts_per_user", use->contexts, access->contexts_per_user, 1 },
    { "containers", "containers_per_user", use->containers, access->containers_per_user, 1 },
    { "MiB of guests' memory", "memory_mib_per_user", use->memory_bytes,
      access->memory_bytes_per_user, MIB },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    if (limits[i].limit != 0 && limits[i].value > limits[i].limit)
      return dn_throw (error, DN_ERROR_LIMIT,
                       "uid %u: would have %" G_GUINT64_FORMAT " %s, and %" G_GUINT64_FORMAT
                       " is the most for one user\nfile '%s': [limits] %s = %" G_GUINT64_FORMAT
                       "; remove some of yours first",
                       uid, (limits[i].value + limits[i].unit - 1) / limits[i].unit, limits[i].what,
                       limits[i].limit / limits[i].unit, file, limits[i].key,
                       limits[i].limit / limits[i].unit);
  return TRUE;
}
