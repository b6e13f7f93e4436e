/* SPDX-License-Identifier: Apache-2.0 */
#include "tmpfs.h"

#include <string.h>

#include "../../protocol/protocol.h"
#include "../common/error.h"
#include "quantity.h"

#define ID_MAX 65535

/* Docker leaves the size open; here it is bounded also when nobody says anything. */
#define DEFAULT_SIZE_BYTES (64 * 1024 * 1024)
#define DEFAULT_MODE 01777
/* One inode for each page: what the kernel would take for a tmpfs of this size. */
#define BYTES_PER_INODE 4096
#define INODES_MIN 16

/* Directories that Danchi fills itself.  /dev/shm may be given another size. */
static const char *const reserved[] = { "/proc", "/sys", "/dev", NULL };

DnTmpfs *
dn_tmpfs_copy (const DnTmpfs *tmpfs)
{
  DnTmpfs *copy = g_memdup2 (tmpfs, sizeof *tmpfs);

  copy->path = g_strdup (tmpfs->path);
  return copy;
}

void
dn_tmpfs_free (DnTmpfs *tmpfs)
{
  if (tmpfs == NULL)
    return;
  g_free (tmpfs->path);
  g_free (tmpfs);
}

gint64
dn_tmpfs_inodes (const DnTmpfs *tmpfs)
{
  return tmpfs->inodes != 0 ? tmpfs->inodes : MAX (tmpfs->size_bytes / BYTES_PER_INODE, INODES_MIN);
}

gboolean
dn_tmpfs_path_is_plain (const char *path)
{
  g_auto (GStrv) parts = NULL;

  if (path[0] != '/' || path[1] == '\0' || strlen (path) > DN_PATH_BYTES)
    return FALSE;
  parts = g_strsplit (path + 1, "/", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (parts[i][0] == '\0' || g_str_equal (parts[i], ".") || g_str_equal (parts[i], ".."))
      return FALSE;
  return TRUE;
}

static gboolean
is_reserved (const char *path)
{
  if (g_str_equal (path, "/dev/shm"))
    return FALSE;
  for (guint i = 0; reserved[i] != NULL; i++)
    {
      gsize length = strlen (reserved[i]);

      if (strncmp (path, reserved[i], length) == 0 && (path[length] == '\0' || path[length] == '/'))
        return TRUE;
    }
  return FALSE;
}

DnTmpfs *
dn_tmpfs_new_volume (const char *path)
{
  g_autofree char *plain = g_strdup (path);
  DnTmpfs *tmpfs;

  /* "/data/" is the same to Docker. */
  for (gsize length = strlen (plain); length > 1 && plain[length - 1] == '/'; length--)
    plain[length - 1] = '\0';
  if (!dn_tmpfs_path_is_plain (plain) || is_reserved (plain))
    return NULL;
  tmpfs = g_new0 (DnTmpfs, 1);
  tmpfs->path = g_steal_pointer (&plain);
  tmpfs->size_bytes = DEFAULT_SIZE_BYTES;
  tmpfs->mode = 0755;
  tmpfs->is_executable = TRUE;
  tmpfs->is_filled = TRUE;
  return tmpfs;
}

static gboolean
set_value (DnTmpfs *tmpfs, const char *name, const char *value)
{
  gint64 number;

  if (g_str_equal (name, "size"))
    return dn_quantity_parse_bytes (value, &tmpfs->size_bytes);
  if (g_str_equal (name, "nr_inodes"))
    return dn_quantity_parse_bytes (value, &tmpfs->inodes);
  if (g_str_equal (name, "uid"))
    return dn_quantity_parse_number (value, 10, ID_MAX, &tmpfs->uid);
  if (g_str_equal (name, "gid"))
    return dn_quantity_parse_number (value, 10, ID_MAX, &tmpfs->gid);
  if (!g_str_equal (name, "mode") || !dn_quantity_parse_number (value, 8, 01777, &number))
    return FALSE;
  tmpfs->mode = (guint) number;
  return TRUE;
}

static gboolean
set_option (DnTmpfs *tmpfs, const char *option, const char *text, GError **error)
{
  static const char *const given[] = { "rw", "noexec", "nosuid", "nodev", NULL };
  g_auto (GStrv) halves = g_strsplit (option, "=", 2);

  if (g_strv_contains (given, option)) /* so it is anyway */
    return TRUE;
  if (g_str_equal (option, "exec"))
    {
      tmpfs->is_executable = TRUE;
      return TRUE;
    }
  if (g_str_equal (option, "suid") || g_str_equal (option, "dev"))
    return dn_throw (error, DN_ERROR_USAGE,
                     "--tmpfs '%s': every file system in a container is nosuid and nodev\n"
                     "leave '%s' out",
                     text, option);
  if (halves[0] != NULL && halves[1] != NULL && set_value (tmpfs, halves[0], halves[1]))
    return TRUE;
  return dn_throw (error, DN_ERROR_USAGE,
                   "--tmpfs '%s': option '%s' is not understood\n"
                   "known are size=64m mode=1777 uid=N gid=N nr_inodes=N exec noexec",
                   text, option);
}

DnTmpfs *
dn_tmpfs_parse (const char *text, GError **error)
{
  g_auto (GStrv) halves = g_strsplit (text, ":", 2);
  g_auto (GStrv) options = NULL;
  g_autoptr (DnTmpfs) tmpfs = g_new0 (DnTmpfs, 1);

  tmpfs->path = g_strdup (halves[0] != NULL ? halves[0] : "");
  tmpfs->size_bytes = DEFAULT_SIZE_BYTES;
  tmpfs->mode = DEFAULT_MODE;

  if (!dn_tmpfs_path_is_plain (tmpfs->path))
    {
      dn_throw (error, DN_ERROR_USAGE,
                "--tmpfs '%s': not an absolute path without '.', '..' and doubled slashes\n"
                "for instance /var/cache:size=16m",
                text);
      return NULL;
    }
  if (is_reserved (tmpfs->path))
    {
      dn_throw (error, DN_ERROR_USAGE,
                "--tmpfs '%s': Danchi itself fills this directory\nchoose another", text);
      return NULL;
    }
  if (halves[1] != NULL)
    options = g_strsplit (halves[1], ",", -1);
  for (guint i = 0; options != NULL && options[i] != NULL; i++)
    if (!set_option (tmpfs, options[i], text, error))
      return NULL;
  return g_steal_pointer (&tmpfs);
}
