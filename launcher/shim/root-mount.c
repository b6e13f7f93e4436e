/* SPDX-License-Identifier: Apache-2.0 */
#include "root-mount.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../common/error.h"

#define OPTIONS_MAX_BYTES 4000 /* a page, less what the kernel needs */
#define UNMOUNTS_MAX 64

static const struct
{
  const char *word;
  unsigned long set;
  unsigned long cleared;
} flag_words[] = {
  { "async", 0, MS_SYNCHRONOUS },   { "atime", 0, MS_NOATIME },
  { "bind", MS_BIND, 0 },           { "dev", 0, MS_NODEV },
  { "diratime", 0, MS_NODIRATIME }, { "dirsync", MS_DIRSYNC, 0 },
  { "exec", 0, MS_NOEXEC },         { "noatime", MS_NOATIME, 0 },
  { "nodev", MS_NODEV, 0 },         { "nodiratime", MS_NODIRATIME, 0 },
  { "noexec", MS_NOEXEC, 0 },       { "norelatime", 0, MS_RELATIME },
  { "nosuid", MS_NOSUID, 0 },       { "rbind", MS_BIND | MS_REC, 0 },
  { "relatime", MS_RELATIME, 0 },   { "ro", MS_RDONLY, 0 },
  { "rw", 0, MS_RDONLY },           { "strictatime", MS_STRICTATIME, 0 },
  { "suid", 0, MS_NOSUID },         { "sync", MS_SYNCHRONOUS, 0 },
};

/* The kernel's flags of @mount, and the rest as its file system takes it. */
static unsigned long
split_options (const DnRootMount *mount, char ***ret_rest)
{
  g_autoptr (GPtrArray) rest = g_ptr_array_new_with_free_func (g_free);
  unsigned long flags = g_str_equal (mount->type, "bind") ? MS_BIND : 0;

  for (gsize i = 0; i < mount->option_count; i++)
    {
      const char *option = mount->options[i];
      gsize j = 0;

      while (j < G_N_ELEMENTS (flag_words) && !g_str_equal (option, flag_words[j].word))
        j++;
      if (j < G_N_ELEMENTS (flag_words))
        flags = (flags | flag_words[j].set) & ~flag_words[j].cleared;
      else if (!g_str_has_prefix (option, "X-"))
        g_ptr_array_add (rest, g_strdup (option));
    }
  g_ptr_array_add (rest, NULL);
  *ret_rest = (char **) g_ptr_array_free (g_steal_pointer (&rest), FALSE);
  return flags;
}

static char **
find_lower (char **options)
{
  for (; *options != NULL; options++)
    if (g_str_has_prefix (*options, "lowerdir="))
      return options;
  return NULL;
}

/* Images of many layers: names of layers relative to the directory that all of them are below, and
 * that directory as the working one of this thread alone. */
static gboolean
shorten (char **options, GError **error)
{
  char **lower = find_lower (options);
  g_auto (GStrv) layers = NULL;
  g_autofree char *common = NULL;
  gsize length;

  if (lower == NULL)
    return TRUE;
  layers = g_strsplit (*lower + strlen ("lowerdir="), ":", -1);
  common = g_path_get_dirname (layers[0]);
  for (gsize i = 1; layers[i] != NULL; i++)
    while (strlen (common) > 1
           && (!g_str_has_prefix (layers[i], common) || layers[i][strlen (common)] != '/'))
      {
        char *parent = g_path_get_dirname (common);

        g_free (common);
        common = parent;
      }
  length = strlen (common);
  if (length < 2 || common[0] != '/')
    return TRUE;
  if (unshare (CLONE_FS) < 0 || chdir (common) < 0)
    return dn_throw_errno (error, "directory '%s'", common);
  for (gsize i = 0; layers[i] != NULL; i++)
    memmove (layers[i], layers[i] + length + 1, strlen (layers[i] + length + 1) + 1);
  g_free (*lower);
  {
    g_autofree char *joined = g_strjoinv (":", layers);

    *lower = g_strconcat ("lowerdir=", joined, NULL);
  }
  return TRUE;
}

static gboolean
mount_one (const DnRootMount *wanted, const char *root, GError **error)
{
  g_auto (GStrv) rest = NULL;
  unsigned long flags = split_options (wanted, &rest), first;
  g_autofree char *target = g_build_filename (root, wanted->target, NULL);
  g_autofree char *data = g_strjoinv (",", rest);

  if (strlen (data) > OPTIONS_MAX_BYTES)
    {
      if (!shorten (rest, error))
        return FALSE;
      g_free (data);
      data = g_strjoinv (",", rest);
    }
  if (strstr (wanted->target, "..") != NULL)
    return dn_throw (error, DN_ERROR_FAILED, "root '%s': target '%s'", root, wanted->target);
  /* A bind takes its source's flags at first. */
  first = (flags & MS_BIND) != 0 ? flags & ~(unsigned long) MS_RDONLY : flags;
  if (mount (wanted->source, target, wanted->type, first, data) < 0)
    return dn_throw_errno (error, "root '%s': mounting '%s' of type '%s'", root, wanted->source,
                           wanted->type);
  if ((flags & MS_BIND) != 0 && (flags & MS_RDONLY) != 0
      && mount (NULL, target, NULL, MS_REMOUNT | (flags & ~(unsigned long) MS_REC), NULL) < 0)
    return dn_throw_errno (error, "root '%s': making it read-only", root);
  return TRUE;
}

gboolean
dn_root_mount_make (const DnRootMount *mounts, gsize count, const char *root, GError **error)
{
  if (count > 0 && g_mkdir_with_parents (root, 0711) < 0)
    return dn_throw_errno (error, "root '%s'", root);
  for (gsize i = 0; i < count; i++)
    if (!mount_one (&mounts[i], root, error))
      {
        dn_root_mount_undo (root);
        return FALSE;
      }
  return TRUE;
}

void
dn_root_mount_undo (const char *root)
{
  /* One above the other, until there is none. */
  for (guint i = 0; i < UNMOUNTS_MAX; i++)
    if (umount2 (root, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
      return;
}
