/* SPDX-License-Identifier: Apache-2.0 */
#include "delta.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tree-walk.h"
#include "tree.h"

#define OVERLAY "trusted.overlay."
#define OVERLAY_OPAQUE OVERLAY "opaque"
#define OVERLAY_ORIGIN OVERLAY "origin"
#define NAMES_BYTES 65536 /* the kernel's limit for a list of attributes */

typedef struct
{
  const DnPathTable *notes;
  const int *lowers;
  size_t lowers_count;
  uint64_t files;
  DnFailure *failure;
  char path[DN_PATH_BYTES + 1]; /* of the directory, "" or "/a/b" */
  size_t length;
} Walk;

/* Removes what overlayfs noted for itself.  @path: in /proc/self/fd.  Tells whether overlayfs has
 * copied it from below. */
static bool
strip (Walk *walk, const char *path, bool *ret_is_copied)
{
  static char names[NAMES_BYTES];
  ssize_t size = llistxattr (path, names, sizeof names);

  *ret_is_copied = false;
  if (size < 0)
    return dn_fail_errno (walk->failure, "cannot list attributes");
  for (const char *name = names; name < names + size; name += strlen (name) + 1)
    {
      if (strncmp (name, OVERLAY, strlen (OVERLAY)) != 0 || strcmp (name, OVERLAY_OPAQUE) == 0)
        continue;
      if (strcmp (name, OVERLAY_ORIGIN) == 0)
        *ret_is_copied = true;
      if (lremovexattr (path, name) < 0)
        return dn_fail_errno (walk->failure, "cannot remove an attribute");
    }
  return true;
}

/* The time that the directory has in the topmost layer below.  Nothing hides it there: it was
 * copied up from there. */
static struct timespec
time_below (const Walk *walk)
{
  struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                          .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
  const char *path = walk->length > 0 ? walk->path + 1 : ".";
  struct stat status = { 0 };

  for (size_t i = 0; i < walk->lowers_count; i++)
    {
      int fd = (int) syscall (SYS_openat2, walk->lowers[i], path, &how, sizeof how);
      bool is_there = fd >= 0 && fstat (fd, &status) == 0;

      if (fd >= 0)
        (void) close (fd);
      if (is_there)
        return status.st_mtim;
    }
  return (struct timespec){ 0 };
}

/* The directory itself, when nothing in it changes any more. */
static bool
finish_itself (Walk *walk, int fd, DnPathNote note)
{
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
  bool is_copied = false;
  char link[64];

  (void) snprintf (link, sizeof link, "/proc/self/fd/%d/.", fd);
  if (walk->lowers_count > 0 && !strip (walk, link, &is_copied))
    return false;
  /* The kernel never asks the root: all layers have one. */
  if (walk->lowers_count > 0 && note.is_opaque && walk->length > 0
      && fsetxattr (fd, OVERLAY_OPAQUE, "y", 1, 0) < 0)
    return dn_fail_errno (walk->failure, "cannot make a directory opaque");
  if (note.is_written)
    times[1] = note.mtime;
  else if (is_copied || (walk->length == 0 && walk->lowers_count > 0))
    times[1] = time_below (walk);
  return futimens (fd, times) == 0
         || dn_fail_errno (walk->failure, "cannot set a directory's time");
}

static bool finish_directory (Walk *walk, int fd, bool is_hidden, int depth);

static bool
finish_child_directory (Walk *walk, int parent, const char *name, bool is_hidden, int depth)
{
  size_t length = walk->length;
  size_t more = strlen (name) + 1;
  bool is_good;
  int fd;

  if (length + more > DN_PATH_BYTES)
    return dn_fail (walk->failure, -ENAMETOOLONG, "a directory's path is over %d bytes",
                    DN_PATH_BYTES);
  fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return dn_fail_errno (walk->failure, "cannot open a directory");
  walk->path[length] = '/';
  memcpy (walk->path + length + 1, name, more);
  walk->length += more;
  is_good = finish_directory (walk, fd, is_hidden, depth);
  walk->length = length;
  walk->path[length] = '\0';
  return is_good;
}

/* What is no directory.  Without layers below there is nothing to do. */
static bool
finish_child (Walk *walk, int parent, const char *name, bool is_whiteout, bool is_hidden)
{
  static const struct timespec never[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };
  char link[64 + 256];
  bool is_copied;

  /* There are no other device nodes than overlayfs's whiteouts: apply.h. */
  if (is_whiteout && is_hidden)
    return unlinkat (parent, name, 0) == 0
           || dn_fail_errno (walk->failure, "cannot remove a whiteout");
  walk->files++;
  if (is_whiteout)
    return utimensat (parent, name, never, AT_SYMLINK_NOFOLLOW) == 0
           || dn_fail_errno (walk->failure, "cannot set a whiteout's time");
  (void) snprintf (link, sizeof link, "/proc/self/fd/%d/%s", parent, name);
  return walk->lowers_count == 0 || strip (walk, link, &is_copied);
}

/* Takes over @fd.  Children first, so that a directory's time is set when nothing changes it any
 * more.  @is_hidden: whether it is in an opaque directory. */
static bool
finish_directory (Walk *walk, int fd, bool is_hidden, int depth)
{
  DnPathNote note = dn_path_table_get (walk->notes, dn_path_key (walk->path, ""));
  DnNames *names = depth > DN_TREE_DEPTH_MAX + 1 ? NULL : dn_names_read (fd);
  bool is_good
      = names != NULL
        || dn_fail (walk->failure, -ELOOP, "directories are nested too deep, or unreadable");

  is_hidden = is_hidden || (note.is_opaque && walk->length > 0);
  walk->files++;
  for (size_t i = 0; is_good && i < dn_names_count (names); i++)
    {
      const char *name = dn_names_at (names, i);
      unsigned char type = dn_names_type (names, i);

      is_good = type == DT_DIR ? finish_child_directory (walk, fd, name, is_hidden, depth + 1)
                               : finish_child (walk, fd, name, type == DT_CHR, is_hidden);
    }
  dn_names_free (names);
  is_good = is_good && finish_itself (walk, fd, note);
  (void) close (fd);
  return is_good;
}

bool
dn_delta_finish (int directory, const DnPathTable *notes, const int *lowers, size_t lowers_count,
                 uint64_t *ret_files, DnFailure *failure)
{
  Walk walk
      = { .notes = notes, .lowers = lowers, .lowers_count = lowers_count, .failure = failure };
  int fd = openat (directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return dn_fail_errno (failure, "cannot open the layer");
  if (!finish_directory (&walk, fd, false, 0))
    return false;
  *ret_files = walk.files;
  return true;
}
