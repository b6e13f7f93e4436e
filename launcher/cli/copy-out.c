/* SPDX-License-Identifier: Apache-2.0 */
#include "copy-out.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"

#define CHUNK_BYTES (256 * 1024)

/* Where it goes: entry names below @top are created under @name in @directory. */
typedef struct
{
  int directory;  /* owned; the user's own directory, opened as the user wrote it */
  int plain_file; /* owned or -1: an existing file to be overwritten, named by the user */
  char *name;     /* owned; "" : straight in @directory */
  char *shown;    /* owned; for errors */
  char *top;      /* owned; the first entry's name */
} Target;

static void
target_clear (Target *target)
{
  dn_fd_clear (&target->directory);
  dn_fd_clear (&target->plain_file);
  g_clear_pointer (&target->name, g_free);
  g_clear_pointer (&target->shown, g_free);
  g_clear_pointer (&target->top, g_free);
}

/* The guarantee of this file is in these three flags. */
static int
open_below (int directory, const char *path, int flags, guint mode)
{
  struct open_how how = {
    .flags = (guint64) (flags | O_CLOEXEC),
    .mode = flags & O_CREAT ? mode : 0,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  };

  return (int) syscall (SYS_openat2, directory, path, &how, sizeof how);
}

/* Opens the directory that holds @path. *ret_base points into @path. */
static int
open_parent (int directory, const char *path, const char **ret_base)
{
  const char *slash = strrchr (path, '/');
  g_autofree char *parent
      = slash != NULL ? g_strndup (path, (gsize) (slash - path)) : g_strdup (".");

  *ret_base = slash != NULL ? slash + 1 : path;
  return open_below (directory, parent, O_PATH | O_DIRECTORY, 0);
}

static gboolean
throw_path (const Target *target, const char *path, GError **error)
{
  return dn_throw_errno (error, "copy: '%s%s%s'", target->shown, *path != '\0' ? "/" : "", path);
}

static gboolean
make_directory (const Target *target, const char *path, guint mode, GError **error)
{
  const char *base;
  dn_autofd int parent = -1, made = -1;

  if (*path == '\0')
    return TRUE;
  parent = open_parent (target->directory, path, &base);
  if (parent < 0)
    return throw_path (target, path, error);
  if (mkdirat (parent, base, (mode | 0700) & 0777) == 0)
    return TRUE;
  if (errno != EEXIST)
    return throw_path (target, path, error);
  /* There is something: it will do if it is a directory itself, not a link to one. */
  made = open_below (parent, base, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
  return made >= 0 || throw_path (target, path, error);
}

/* Makes way for a file or link.  A directory stays: EISDIR comes of it below. */
static gboolean
remove_old (int parent, const char *base)
{
  return unlinkat (parent, base, 0) == 0 || errno == ENOENT || errno == EISDIR || errno == EPERM;
}

static gboolean
make_link (const Target *target, const char *path, const char *link, GError **error)
{
  const char *base;
  dn_autofd int parent = open_parent (target->directory, path, &base);

  if (parent < 0 || !remove_old (parent, base) || symlinkat (link, parent, base) < 0)
    return throw_path (target, path, error);
  return TRUE;
}

static gboolean
copy_bytes (DnCopyReader *reader, int fd, guint64 size, const Target *target, const char *path,
            GError **error)
{
  g_autofree guint8 *chunk = g_malloc (CHUNK_BYTES);

  while (size > 0)
    {
      gsize now = (gsize) MIN (size, (guint64) CHUNK_BYTES);
      gsize written = 0;

      if (!dn_copy_reader_read (reader, chunk, now, error))
        return FALSE;
      while (written < now)
        {
          ssize_t n = write (fd, chunk + written, now - written);

          if (n < 0 && errno != EINTR)
            return throw_path (target, path, error);
          written += n > 0 ? (gsize) n : 0;
        }
      size -= now;
    }
  return TRUE;
}

static gboolean
make_file (DnCopyReader *reader, const Target *target, const char *path, const DnCopyEntry *entry,
           GError **error)
{
  const struct timespec times[]
      = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = (time_t) entry->mtime_s } };
  const char *base;
  dn_autofd int parent = open_parent (target->directory, path, &base);
  dn_autofd int fd = -1;

  if (parent < 0 || !remove_old (parent, base))
    return throw_path (target, path, error);
  /* O_EXCL: it is a new file, not one that appeared under the name meanwhile. */
  fd = open_below (parent, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, entry->mode & 0777);
  if (fd < 0)
    return throw_path (target, path, error);
  if (!copy_bytes (reader, fd, entry->size_bytes, target, path, error))
    return FALSE;
  (void) futimens (fd, times); /* a time that this file system cannot hold is no reason to fail */
  return TRUE;
}

/* An entry's path below target->directory; FALSE: it is not below the first one. */
static gboolean
map_name (const Target *target, const char *name, char **ret_path)
{
  gsize top = strlen (target->top);
  const char *rest = name;

  if (top > 0)
    {
      if (strncmp (name, target->top, top) != 0 || (name[top] != '/' && name[top] != '\0'))
        return FALSE;
      rest = name[top] == '/' ? name + top + 1 : name + top;
    }
  *ret_path = *target->name == '\0' ? g_strdup (rest)
              : *rest == '\0'       ? g_strdup (target->name)
                                    : g_strconcat (target->name, "/", rest, NULL);
  return TRUE;
}

static gboolean
make_item (DnCopyReader *reader, const Target *target, const DnCopyItem *item, GError **error)
{
  g_autofree char *path = NULL;

  if (!map_name (target, item->name, &path))
    return dn_throw (error, DN_ERROR_PROTOCOL, "copy: the guest sent '%s', which was not asked for",
                     item->name);
  if (target->plain_file >= 0 && reader->entries > 1)
    return dn_throw (error, DN_ERROR_PROTOCOL, "copy: the guest sent more than the one file");
  if (target->plain_file >= 0)
    return item->entry.kind == DN_COPY_FILE
               ? copy_bytes (reader, target->plain_file, item->entry.size_bytes, target, "", error)
               : dn_throw (error, DN_ERROR_USAGE, "copy: '%s': is there and is a file",
                           target->shown);
  if (*path == '\0' && item->entry.kind != DN_COPY_DIRECTORY)
    return dn_throw (error, DN_ERROR_PROTOCOL, "copy: the guest sent a file without a name");
  switch (item->entry.kind)
    {
    case DN_COPY_FILE:
      return make_file (reader, target, path, &item->entry, error);
    case DN_COPY_DIRECTORY:
      return make_directory (target, path, item->entry.mode, error);
    case DN_COPY_LINK:
      return make_link (target, path, item->link, error);
    case DN_COPY_END:
      break;
    }
  return TRUE;
}

/* The last component of what was asked for: the name that the copy takes in a directory.  Not the
 * guest's word for it. */
static char *
source_name (const DnCopySpec *source)
{
  return g_str_equal (source->path, "/") ? g_strdup ("") : g_path_get_basename (source->path);
}

/* The destination is there. */
static gboolean
target_existing (Target *target, const DnCopySpec *source, const char *path, gboolean is_directory,
                 const DnCopyItem *first, GError **error)
{
  if (is_directory)
    {
      target->directory = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
      target->name = source->is_contents && first->entry.kind == DN_COPY_DIRECTORY
                         ? g_strdup ("")
                         : source_name (source);
      return target->directory >= 0 || dn_throw_errno (error, "copy: '%s'", path);
    }
  if (first->entry.kind == DN_COPY_DIRECTORY)
    return dn_throw (error, DN_ERROR_USAGE,
                     "copy: '%s': is a file, and '%s' in the container is a directory", path,
                     source->path);
  target->name = g_strdup ("");
  /* Named by the user itself, so written as any program would: a device or a link to a file too. */
  target->plain_file = open (path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
  return target->plain_file >= 0 || dn_throw_errno (error, "copy: '%s'", path);
}

static gboolean
target_open (Target *target, const DnCopySpec *source, const DnCopySpec *destination,
             const DnCopyItem *first, GError **error)
{
  const char *path = destination->path;
  g_autofree char *parent = NULL;
  struct stat status;

  target->shown = g_strdup (path);
  target->top = g_strdup (first->name);
  if (stat (path, &status) == 0)
    {
      if (destination->must_be_directory && !S_ISDIR (status.st_mode))
        return dn_throw (error, DN_ERROR_USAGE, "copy: '%s': is no directory", path);
      return target_existing (target, source, path, S_ISDIR (status.st_mode), first, error);
    }
  if (errno != ENOENT)
    return dn_throw_errno (error, "copy: '%s'", path);
  if (destination->must_be_directory && first->entry.kind != DN_COPY_DIRECTORY)
    return dn_throw (error, DN_ERROR_USAGE, "copy: '%s': there is no such directory", path);
  parent = g_path_get_dirname (path);
  target->name = g_path_get_basename (path);
  g_free (target->shown);
  target->shown = g_strdup (parent);
  target->directory = open (parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return target->directory >= 0 || dn_throw_errno (error, "copy: '%s'", parent);
}

gboolean
dn_copy_out_receive (DnCopyReader *reader, const DnCopySpec *source, const DnCopySpec *destination,
                     GError **error)
{
  Target target = { .directory = -1, .plain_file = -1 };
  g_autofree DnCopyItem *item = g_new0 (DnCopyItem, 1);
  gboolean is_fine = TRUE;
  int r = dn_copy_reader_next (reader, item, error);

  if (r > 0)
    is_fine = target_open (&target, source, destination, item, error);
  while (is_fine && r > 0)
    {
      is_fine = make_item (reader, &target, item, error);
      if (is_fine)
        r = dn_copy_reader_next (reader, item, error);
    }
  target_clear (&target);
  return is_fine && r == 0;
}
