/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-table.h"

#include <string.h>

#include "../common/error.h"
#include "profile-file.h"
#include "quantity.h"

/* The kernel's file systems and where they belong, with the options without which no profile
 * mounts them. */
static const struct
{
  const char *target;
  const char *type;
  const char *options[5];
} floor_mounts[] = {
  { "/proc", "proc", { "nosuid", "nodev", "noexec", NULL } },
  { "/dev", "tmpfs", { "nosuid", "nodev", "noexec", NULL } },
  { "/dev/pts", "devpts", { "nosuid", "noexec", NULL } }, /* terminals are devices */
  { "/dev/mqueue", "mqueue", { "nosuid", "nodev", "noexec", NULL } },
  { "/sys", "sysfs", { "nosuid", "nodev", "noexec", "ro", NULL } },
  { "/sys/fs/cgroup", "cgroup", { "nosuid", "nodev", "noexec", "ro", NULL } },
};

/* By what stands before its '=': the kernel would take the last of them. */
static gboolean
stands_twice (char **options, const char *option)
{
  gsize length = strcspn (option, "=");
  guint count = 0;

  for (; *options != NULL; options++)
    count += strcspn (*options, "=") == length && strncmp (*options, option, length) == 0;
  return count > 1;
}

static gboolean
read_mount (DnProfile *profile, const char *target, const char *value, GError **error)
{
  static const char *const loose[] = { "suid", "dev", "exec", "rw", NULL };
  g_auto (GStrv) words = g_strsplit (value, " ", -1);
  DnProfileMount *mount;
  guint known = 0;

  while (known < G_N_ELEMENTS (floor_mounts)
         && !(g_str_equal (floor_mounts[known].target, target) && words[0] != NULL
              && g_str_equal (floor_mounts[known].type, words[0])))
    known++;
  if (known == G_N_ELEMENTS (floor_mounts))
    return dn_throw (error, DN_ERROR_CONFIG, "no such file system can be mounted there");
  for (const char *const *option = floor_mounts[known].options; *option != NULL; option++)
    if (!g_strv_contains ((const char *const *) words + 1, *option))
      return dn_throw (error, DN_ERROR_CONFIG, "%s is missing", *option);
  for (char **option = words + 1; *option != NULL; option++)
    if ((*option)[0] == '\0' || g_strv_contains (loose, *option))
      return dn_throw (error, DN_ERROR_CONFIG, "option '%s': not possible", *option);
    else if (stands_twice (words + 1, *option))
      return dn_throw (error, DN_ERROR_CONFIG, "option '%s': stands twice", *option);
  mount = g_new0 (DnProfileMount, 1);
  mount->target = g_strdup (target);
  mount->type = g_strdup (words[0]);
  mount->options = g_strdupv (words + 1);
  g_ptr_array_add (profile->mounts, mount);
  return TRUE;
}

static gboolean
read_tmpfs (DnProfile *profile, const char *path, const char *value, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%s:%s", path, value);
  DnTmpfs *tmpfs = dn_tmpfs_parse (text, error);

  if (tmpfs == NULL)
    return FALSE;
  g_ptr_array_add (profile->tmpfs, tmpfs);
  return TRUE;
}

static void
append_word (char ***list, const char *word)
{
  guint count = g_strv_length (*list);

  *list = g_renew (char *, *list, count + 2);
  (*list)[count] = g_strdup (word);
  (*list)[count + 1] = NULL;
}

static gboolean
read_path (DnProfile *profile, const char *path, const char *value, GError **error)
{
  if (!dn_tmpfs_path_is_plain (path))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "not an absolute path without '.', '..' and doubled slashes");
  if (g_str_equal (value, "masked"))
    append_word (&profile->masked, path);
  else if (g_str_equal (value, "readonly"))
    append_word (&profile->readonly, path);
  else
    return dn_throw (error, DN_ERROR_CONFIG, "'%s': must be masked or readonly", value);
  return TRUE;
}

static gboolean
read_rlimit (DnProfile *profile, const char *name, const char *value, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%s=%s", name, value);
  DnUlimit ulimit;

  if (!dn_ulimit_parse_any (text, &ulimit, error))
    return FALSE;
  g_array_append_val (profile->ulimits, ulimit);
  return TRUE;
}

/* Those of the container's own network and IPC namespaces; the agent takes no others either. */
static gboolean
read_sysctl (DnProfile *profile, const char *name, const char *value, GError **error)
{
  static const char *const prefixes[] = { "net.", "fs.mqueue.", "kernel.shm", "kernel.msg" };
  gboolean is_own = g_str_equal (name, "kernel.sem");

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    is_own = is_own || g_str_has_prefix (name, prefixes[i]);
  if (!is_own || strchr (name, '/') != NULL || strstr (name, "..") != NULL)
    return dn_throw (error, DN_ERROR_CONFIG, "is not a setting of the container's own namespaces");
  g_ptr_array_add (profile->sysctls, g_strdup (name));
  g_ptr_array_add (profile->sysctls, g_strdup (value));
  return TRUE;
}

static const struct
{
  const char *group;
  gboolean (*read) (DnProfile *profile, const char *key, const char *value, GError **error);
} readers[DN_PROFILE_TABLES] = {
  [DN_PROFILE_MOUNTS] = { "mounts", read_mount },
  [DN_PROFILE_TMPFS] = { "tmpfs", read_tmpfs },
  [DN_PROFILE_PATHS] = { "paths", read_path },
  [DN_PROFILE_RLIMITS] = { "rlimits", read_rlimit },
  [DN_PROFILE_SYSCTLS] = { "sysctls", read_sysctl },
};

/* One order for the canonical text; by path, what lies in another comes after it. */
static int
compare_pairs (gconstpointer one, gconstpointer other)
{
  return strcmp (*(char *const *) one, *(char *const *) other);
}

static gboolean
read_table (DnProfile *profile, DnProfileTable table, GPtrArray *pairs, const char *what,
            GError **error)
{
  const char *group = readers[table].group;

  if (pairs->len > 2 * DN_PROFILE_TABLE_MAX)
    return dn_throw (error, DN_ERROR_CONFIG, "file '%s': [%s]: more than %d keys", what, group,
                     DN_PROFILE_TABLE_MAX);
  if (pairs->len > 0)
    qsort (pairs->pdata, pairs->len / 2, 2 * sizeof *pairs->pdata, compare_pairs);
  for (guint i = 0; i < pairs->len; i += 2)
    {
      const char *key = g_ptr_array_index (pairs, i), *value = g_ptr_array_index (pairs, i + 1);
      g_autoptr (GError) local = NULL;

      if (!readers[table].read (profile, key, value, &local))
        return dn_throw (error, DN_ERROR_CONFIG, "file '%s': [%s] %s: %s", what, group, key,
                         local->message);
    }
  return TRUE;
}

gboolean
dn_profile_read_tables (DnProfile *profile, GPtrArray *tables[], const char *what, GError **error)
{
  static const char *const needed[] = { "/proc", "/dev" };

  profile->masked = g_new0 (char *, 1);
  profile->readonly = g_new0 (char *, 1);
  for (guint i = 0; i < DN_PROFILE_TABLES; i++)
    if (!read_table (profile, (DnProfileTable) i, tables[i], what, error))
      return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (needed); i++)
    {
      gboolean is_there = FALSE;

      for (guint j = 0; j < profile->mounts->len; j++)
        is_there
            = is_there
              || g_str_equal (((DnProfileMount *) profile->mounts->pdata[j])->target, needed[i]);
      if (!is_there)
        return dn_throw (error, DN_ERROR_CONFIG, "file '%s': [mounts] %s: is missing", what,
                         needed[i]);
    }
  return TRUE;
}

static void
print_tmpfs (GString *text, const DnTmpfs *tmpfs)
{
  g_string_append_printf (text,
                          "%s = size=%" G_GINT64_FORMAT ",mode=%04o,uid=%" G_GINT64_FORMAT
                          ",gid=%" G_GINT64_FORMAT ",nr_inodes=%" G_GINT64_FORMAT "%s\n",
                          tmpfs->path, tmpfs->size_bytes, tmpfs->mode, tmpfs->uid, tmpfs->gid,
                          dn_tmpfs_inodes (tmpfs), tmpfs->is_executable ? ",exec" : "");
}

static void
print_paths (GString *text, char **paths, const char *how)
{
  for (; *paths != NULL; paths++)
    g_string_append_printf (text, "%s = %s\n", *paths, how);
}

void
dn_profile_print_tables (const DnProfile *profile, GString *text)
{
  g_string_append (text, "\n[mounts]\n");
  for (guint i = 0; i < profile->mounts->len; i++)
    {
      const DnProfileMount *mount = g_ptr_array_index (profile->mounts, i);
      g_autofree char *options = g_strjoinv (" ", mount->options);

      g_string_append_printf (text, "%s = %s %s\n", mount->target, mount->type, options);
    }
  g_string_append (text, "\n[tmpfs]\n");
  for (guint i = 0; i < profile->tmpfs->len; i++)
    print_tmpfs (text, g_ptr_array_index (profile->tmpfs, i));
  g_string_append (text, "\n[paths]\n");
  print_paths (text, profile->masked, "masked");
  print_paths (text, profile->readonly, "readonly");
  g_string_append (text, "\n[rlimits]\n");
  for (guint i = 0; i < profile->ulimits->len; i++)
    {
      const DnUlimit *ulimit = &g_array_index (profile->ulimits, DnUlimit, i);

      g_string_append_printf (text, "%s = %" G_GINT64_FORMAT ":%" G_GINT64_FORMAT "\n",
                              dn_ulimit_name (ulimit), ulimit->soft, ulimit->hard);
    }
  g_string_append (text, "\n[sysctls]\n");
  for (guint i = 0; i < profile->sysctls->len; i += 2)
    g_string_append_printf (text, "%s = %s\n",
                            (const char *) g_ptr_array_index (profile->sysctls, i),
                            (const char *) g_ptr_array_index (profile->sysctls, i + 1));
}
