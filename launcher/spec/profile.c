/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <string.h>

#include "capability.h"

const char *const dn_seccomp_base_words[] = { "default", "relaxed", "unconfined", NULL };

static void
mount_free (gpointer data)
{
  DnProfileMount *mount = data;

  g_free (mount->target);
  g_free (mount->type);
  g_strfreev (mount->options);
  g_free (mount);
}

DnProfile *
dn_profile_new (void)
{
  DnProfile *profile = g_new0 (DnProfile, 1);

  profile->mounts = g_ptr_array_new_with_free_func (mount_free);
  profile->tmpfs = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_tmpfs_free);
  profile->ulimits = g_array_new (FALSE, FALSE, sizeof (DnUlimit));
  profile->sysctls = g_ptr_array_new_with_free_func (g_free);
  return profile;
}

void
dn_profile_free (DnProfile *profile)
{
  if (profile == NULL)
    return;
  g_free (profile->name);
  g_free (profile->sha256);
  g_ptr_array_unref (profile->mounts);
  g_ptr_array_unref (profile->tmpfs);
  g_array_unref (profile->ulimits);
  g_strfreev (profile->masked);
  g_strfreev (profile->readonly);
  g_ptr_array_unref (profile->sysctls);
  g_free (profile);
}

static void G_GNUC_PRINTF (2, 3) add (GPtrArray *list, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (list, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static gboolean
has (char **list, const char *word)
{
  return g_strv_contains ((const char *const *) list, word);
}

static const DnProfileMount *
find_mount (const DnProfile *profile, const char *target)
{
  for (guint i = 0; i < profile->mounts->len; i++)
    {
      const DnProfileMount *mount = g_ptr_array_index (profile->mounts, i);

      if (g_str_equal (mount->target, target))
        return mount;
    }
  return NULL;
}

static gboolean
has_key (char **options, const char *option)
{
  gsize length = strcspn (option, "=");

  for (; *options != NULL; options++)
    if (strcspn (*options, "=") == length && strncmp (*options, option, length) == 0)
      return TRUE;
  return FALSE;
}

/* An option of a kind that the reference does not have counts, if it does not only take away. */
static void
compare_options (const DnProfileMount *mount, const DnProfileMount *known, GPtrArray *list)
{
  static const char *const narrowing[] = { "ro", "nosuid", "nodev", "noexec", NULL };

  for (char **option = known->options; *option != NULL; option++)
    if (!has (mount->options, *option))
      add (list, "mount %s without %s", mount->target, *option);
  for (char **option = mount->options; *option != NULL; option++)
    if (!has_key (known->options, *option) && !g_strv_contains (narrowing, *option))
      add (list, "mount %s with %s", mount->target, *option);
}

static void
compare_mounts (const DnProfile *profile, const DnProfile *reference, GPtrArray *list)
{
  for (guint i = 0; i < profile->mounts->len; i++)
    {
      const DnProfileMount *mount = g_ptr_array_index (profile->mounts, i);
      const DnProfileMount *known = find_mount (reference, mount->target);

      if (known == NULL)
        add (list, "mount %s", mount->target);
      else
        compare_options (mount, known, list);
    }
}

static void
compare_paths (const DnProfile *profile, const DnProfile *reference, GPtrArray *list)
{
  for (char **path = reference->masked; *path != NULL; path++)
    if (!has (profile->masked, *path))
      add (list, "path %s is not masked", *path);
  for (char **path = reference->readonly; *path != NULL; path++)
    if (!has (profile->readonly, *path) && !has (profile->masked, *path))
      add (list, "path %s is not read-only", *path);
}

static gboolean
has_sysctl (const DnProfile *profile, const char *name)
{
  for (guint i = 0; i < profile->sysctls->len; i += 2)
    if (g_str_equal (g_ptr_array_index (profile->sysctls, i), name))
      return TRUE;
  return FALSE;
}

static void
compare_sysctls (const DnProfile *profile, const DnProfile *reference, GPtrArray *list)
{
  for (guint i = 0; i < profile->sysctls->len; i += 2)
    {
      const char *name = g_ptr_array_index (profile->sysctls, i);
      gboolean is_same = FALSE;

      for (guint j = 0; j < reference->sysctls->len; j += 2)
        is_same = is_same
                  || (g_str_equal (g_ptr_array_index (reference->sysctls, j), name)
                      && g_str_equal (g_ptr_array_index (reference->sysctls, j + 1),
                                      g_ptr_array_index (profile->sysctls, i + 1)));
      if (!is_same)
        add (list, "sysctl %s", name);
    }
  for (guint i = 0; i < reference->sysctls->len; i += 2)
    {
      const char *name = g_ptr_array_index (reference->sysctls, i);

      /* Low ports are given, not taken: without the setting there are fewer rights. */
      if (!has_sysctl (profile, name) && !g_str_equal (name, "net.ipv4.ip_unprivileged_port_start"))
        add (list, "sysctl %s is not set", name);
    }
}

GPtrArray *
dn_profile_relaxations (const DnProfile *profile, const DnProfile *reference)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) more = dn_capability_names (profile->capabilities & ~reference->capabilities);

  for (char **name = more; *name != NULL; name++)
    add (list, "capability %s", *name);
  if (profile->seccomp > reference->seccomp)
    add (list, "seccomp %s", dn_seccomp_base_words[profile->seccomp]);
  if (profile->ids > reference->ids)
    add (list, "ids %" G_GUINT64_FORMAT, profile->ids);
  compare_mounts (profile, reference, list);
  compare_paths (profile, reference, list);
  compare_sysctls (profile, reference, list);
  return list;
}
