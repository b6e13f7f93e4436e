/* SPDX-License-Identifier: Apache-2.0 */
/* The files behind QEMU's disks: whether only root, or only QEMU's own uid, may change them. */
#include <errno.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "../common/paths.h"
#include "../guest/guest.h"
#include "host-facts.h"

#define STACK_MAX_BYTES ((gsize) 64 * 1024)
/* user_namespaces(7): what an id is shown as that a namespace has no number for. */
#define OVERFLOW_UID 65534
#define ACL_HEAD_BYTES 4
#define ACL_ENTRY_BYTES 8
#define ACL_MAX_BYTES 1024
#define EXTENT_BEGIN " FLAT \""

/* Whether an ACL lets nobody write but the owner and @uid: a volume's (../volumes/volume.h).  The
 * kernel's form: acl(5), <linux/posix_acl_xattr.h>. */
static gboolean
acl_is_narrow (const guint8 *bytes, gsize size, guint uid, gboolean is_device)
{
  for (gsize at = ACL_HEAD_BYTES; at + ACL_ENTRY_BYTES <= size; at += ACL_ENTRY_BYTES)
    {
      guint16 tag, rights;
      guint32 id;

      memcpy (&tag, bytes + at, sizeof tag);
      memcpy (&rights, bytes + at + 2, sizeof rights);
      memcpy (&id, bytes + at + 4, sizeof id);
      tag = GUINT16_FROM_LE (tag);
      /* The mask gives nobody anything. */
      if (tag == ACL_USER_OBJ || tag == ACL_MASK || (GUINT16_FROM_LE (rights) & ACL_WRITE) == 0)
        continue;
      /* The group of disks, which may write to all of the host's. */
      if (tag == ACL_GROUP_OBJ && is_device)
        continue;
      if (tag != ACL_USER || GUINT32_FROM_LE (id) != uid)
        return FALSE;
    }
  return TRUE;
}

/* In a session the host's root has no number of its own: like all whom its namespace does not know,
 * it is the overflow id's, which no process of a guest has. */
static gboolean
is_above (guint uid)
{
  return uid == 0 || (dn_paths ()->is_session && uid == OVERFLOW_UID);
}

static gboolean
is_protected (const char *path, guint uid)
{
  guint8 acl[ACL_MAX_BYTES];
  struct stat status;
  gboolean is_device;
  ssize_t n;

  if (stat (path, &status) < 0 || (!S_ISREG (status.st_mode) && !S_ISBLK (status.st_mode)))
    return FALSE;
  is_device = S_ISBLK (status.st_mode);
  n = getxattr (path, "system.posix_acl_access", acl, sizeof acl);
  /* The bits of the group are the mask's where there is one. */
  if (n > 0)
    return is_above (status.st_uid) && (status.st_mode & 02) == 0
           && acl_is_narrow (acl, (gsize) n, uid, is_device);
  if (n < 0 && errno != ENODATA && errno != ENOTSUP)
    return FALSE;
  return (status.st_mode & 022) == 0
         && (is_above (status.st_uid) || (status.st_uid == uid && (status.st_mode & 077) == 0));
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
