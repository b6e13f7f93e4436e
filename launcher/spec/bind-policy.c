/* SPDX-License-Identifier: Apache-2.0 */
#include "bind-policy.h"

#include <string.h>

#include "tmpfs.h"

#define READONLY ":ro"
#define WRITABLE ":rw"

/* Whoever can write there, or read it, is the host. */
static const char *const reserved[] = {
  "/proc",
  "/sys",
  "/dev",
  "/boot",
  "/run/danchi",
  "/run/danchi-slots",
  "/var/lib/danchi",
  "/etc/danchi",
  "/run/libvirt",
  "/var/lib/libvirt",
  "/etc/libvirt",
  "/run/systemd",
  "/run/dbus",
};

void
dn_bind_root_clear (DnBindRoot *root)
{
  g_clear_pointer (&root->path, g_free);
}

/* Takes the mode off. (transfer full): the path as it stands */
static char *
read_entry (const char *entry, gboolean *ret_is_writable)
{
  gsize length = strlen (entry);

  *ret_is_writable = g_str_has_suffix (entry, WRITABLE);
  if (*ret_is_writable || g_str_has_suffix (entry, READONLY))
    length -= strlen (WRITABLE);
  return g_strndup (entry, length);
}

static gboolean
is_home (const char *path)
{
  return path[0] == '~' && (path[1] == '\0' || path[1] == '/');
}

char *
dn_bind_root_find_fault (const char *entry)
{
  gboolean is_writable;
  g_autofree char *path = read_entry (entry, &is_writable);
  /* A home directory has a path of its own; here its place is taken by one that is fine. */
  g_autofree char *plain = is_home (path) ? g_strconcat ("/home", path + 1, NULL) : g_strdup (path);

  if (g_str_equal (plain, "/"))
    return g_strdup ("is the whole host");
  if (plain[0] != '/' || !dn_tmpfs_path_is_plain (plain) || strchr (plain, ':') != NULL)
    return g_strdup ("is not a plain absolute path or ~, with :ro or :rw behind it");
  return NULL;
}

/* Whether @path is @directory or lies in it; what follows. */
static const char *
find_rest (const char *path, const char *directory)
{
  gsize length = strlen (directory);

  /* The root holds all. */
  if (g_str_equal (directory, "/"))
    return path[0] == '/' ? path + 1 : NULL;
  if (strncmp (path, directory, length) != 0 || (path[length] != '\0' && path[length] != '/'))
    return NULL;
  return path[length] == '/' ? path + length + 1 : path + length;
}

/* (transfer full): or NULL for a home that nobody has */
static char *
resolve (const char *path, const char *home)
{
  if (!is_home (path))
    return g_strdup (path);
  if (home == NULL || home[0] != '/' || home[1] == '\0' || !dn_tmpfs_path_is_plain (home))
    return NULL;
  return g_strconcat (home, path + 1, NULL);
}

gboolean
dn_bind_policy_find (char **entries, const char *home, const char *source, DnBindRoot *ret_root,
                     const char **ret_rest)
{
  *ret_root = (DnBindRoot){ NULL };
  for (char **entry = entries; *entry != NULL; entry++)
    {
      gboolean is_writable;
      g_autofree char *text = read_entry (*entry, &is_writable);
      g_autofree char *path = resolve (text, home);
      const char *rest = path != NULL ? find_rest (source, path) : NULL;

      if (rest == NULL || (ret_root->path != NULL && strlen (ret_root->path) >= strlen (path)))
        continue;
      g_free (ret_root->path);
      *ret_root = (DnBindRoot){ g_steal_pointer (&path), is_writable };
      *ret_rest = rest;
    }
  return ret_root->path != NULL;
}

static gboolean
touches (const char *source, const char *path)
{
  return find_rest (source, path) != NULL || find_rest (path, source) != NULL;
}

const char *
dn_bind_policy_find_reserved (const char *source, const char *const *own)
{
  for (guint i = 0; i < G_N_ELEMENTS (reserved); i++)
    if (touches (source, reserved[i]))
      return reserved[i];
  for (; *own != NULL; own++)
    if (touches (source, *own))
      return *own;
  return NULL;
}
