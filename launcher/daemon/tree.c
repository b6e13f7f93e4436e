/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/error.h"

#define DESCRIPTORS_MAX 8

gboolean
dn_tree_make (const char *path, guint mode, GError **error)
{
  struct stat status;

  if (mkdir (path, 0700) < 0 && errno != EEXIST)
    return dn_throw_errno (error, "directory '%s': making", path);
  if (lstat (path, &status) < 0)
    return dn_throw_errno (error, "directory '%s'", path);
  if (!S_ISDIR (status.st_mode) || status.st_uid != geteuid ())
    return dn_throw (error, DN_ERROR_FAILED, "directory '%s': not a directory of uid %u", path,
                     (guint) geteuid ());
  if ((status.st_mode & 07777) != mode && chmod (path, mode) < 0)
    return dn_throw_errno (error, "directory '%s': chmod", path);
  return TRUE;
}

static int
remove_entry (const char *path, const struct stat *status, int type, struct FTW *place)
{
  (void) status;
  (void) type;
  (void) place;
  return remove (path);
}

gboolean
dn_tree_remove (const char *path, GError **error)
{
  /* Not FTW_MOUNT: on overlayfs a file's device differs from its directory's, and it would pass
   * over files in silence.  Nothing is ever mounted below the directories that come here. */
  if (nftw (path, remove_entry, DESCRIPTORS_MAX, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
    return TRUE;
  return dn_throw_errno (error, "directory '%s': removing", path);
}
