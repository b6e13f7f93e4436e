/* SPDX-License-Identifier: Apache-2.0 */
/* The files behind QEMU's disks: whether only root, or only QEMU's own uid, may change them. */
#include <string.h>
#include <sys/stat.h>

#include "../guest/guest.h"
#include "host-facts.h"

#define STACK_MAX_BYTES ((gsize) 64 * 1024)
#define EXTENT_BEGIN " FLAT \""

static gboolean
is_protected (const char *path, guint uid)
{
  struct stat status;

  if (stat (path, &status) < 0 || !S_ISREG (status.st_mode))
    return FALSE;
  return (status.st_mode & 022) == 0
         && (status.st_uid == 0 || (status.st_uid == uid && (status.st_mode & 077) == 0));
}

/* The file that a line of a stack's description (../images/disk.h) names. (transfer full), or NULL
 */
static char *
extent_of (const char *line, const char *directory)
{
  const char *at = strstr (line, EXTENT_BEGIN);
  g_autofree char *name = NULL;

  if (at == NULL)
    return NULL;
  at += strlen (EXTENT_BEGIN);
  name = g_strndup (at, strcspn (at, "\""));
  return g_path_is_absolute (name) ? g_strdup (name) : g_build_filename (directory, name, NULL);
}

/* What the description names is as much the disk as itself.  Only root could write it: that was
 * looked at before. */
static char *
find_unprotected_extent (const char *path, guint uid)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gsize size;

  if (!g_file_get_contents (path, &text, &size, NULL) || size > STACK_MAX_BYTES)
    return g_strdup (path);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *extent = extent_of (lines[i], directory);

      if (extent != NULL && !is_protected (extent, uid))
        return extent;
      g_free (extent);
    }
  return NULL;
}

char *
dn_host_disk_find_unprotected (const char *path, guint uid)
{
  if (!is_protected (path, uid))
    return g_strdup (path);
  return g_str_has_suffix (path, DN_GUEST_STACK_SUFFIX) ? find_unprotected_extent (path, uid)
                                                        : NULL;
}
