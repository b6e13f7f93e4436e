/* SPDX-License-Identifier: Apache-2.0 */
#include "tree-walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tree.h"

/* The slow walk's state: the directories on the way, so that ".." in a link is a step back. */
typedef struct
{
  int fds[DN_TREE_DEPTH_MAX + 2]; /* owned, but the first, which is the root */
  size_t count;
  int links;
  char rest[2 * DN_PATH_BYTES + 2]; /* what is still to walk */
} Walk;

static void
step_back_to (Walk *walk, size_t count)
{
  while (walk->count > count)
    (void) close (walk->fds[--walk->count]);
}

/* Puts a link's target in front of what is left to walk. */
static bool
follow (Walk *walk, const char *name, const char *rest, DnFailure *failure)
{
  char target[DN_PATH_BYTES + 1];
  char joined[sizeof walk->rest];
  ssize_t length = readlinkat (walk->fds[walk->count - 1], name, target, sizeof target - 1);
  size_t rest_length = strlen (rest);

  if (length < 0)
    return dn_fail_errno (failure, "cannot read a link");
  if (++walk->links > DN_TREE_LINKS_MAX)
    return dn_fail (failure, -ELOOP, "too many symbolic links on the way");
  if ((size_t) length + 1 + rest_length >= sizeof joined)
    return dn_fail (failure, -ENAMETOOLONG, "a symbolic link on the way is too long");
  if (target[0] == '/')
    step_back_to (walk, 1);
  memcpy (joined, target, (size_t) length);
  joined[length] = '/';
  memcpy (joined + length + 1, rest, rest_length + 1);
  memcpy (walk->rest, joined, (size_t) length + 1 + rest_length + 1);
  return true;
}

/* One component, which may be "..", of the path in @walk.  @rest: what comes after it. */
static bool
step (Walk *walk, const char *name, const char *rest, bool is_made, DnFailure *failure)
{
  int parent = walk->fds[walk->count - 1];
  struct stat status;
  int fd;

  if (strcmp (name, "..") == 0)
    {
      if (walk->count == 1)
        return dn_fail (failure, -EXDEV, "a symbolic link on the way leads out of the image");
      step_back_to (walk, walk->count - 1);
      memmove (walk->rest, rest, strlen (rest) + 1);
      return true;
    }
  if (walk->count == sizeof walk->fds / sizeof walk->fds[0])
    return dn_fail (failure, -ENAMETOOLONG, "deeper than %d directories", DN_TREE_DEPTH_MAX);
  fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT && is_made)
    {
      if (mkdirat (parent, name, 0755) < 0)
        return dn_fail_errno (failure, "cannot make a directory");
      fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
  if (fd >= 0)
    {
      walk->fds[walk->count++] = fd;
      memmove (walk->rest, rest, strlen (rest) + 1);
      return true;
    }
  /* O_DIRECTORY with O_NOFOLLOW says ENOTDIR of a link, too. */
  if (errno == ENOTDIR && fstatat (parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0
      && S_ISLNK (status.st_mode))
    return follow (walk, name, rest, failure);
  return dn_fail_errno (failure, "cannot enter '%s'", dn_failure_name (name).text);
}

static int
walk_slowly (int root, const char *name, bool is_made, DnFailure *failure)
{
  Walk *walk = calloc (1, sizeof *walk);
  bool is_good = true;
  int fd = -1;

  if (walk == NULL)
    abort ();
  walk->fds[walk->count++] = root;
  strcpy (walk->rest, name);
  while (is_good)
    {
      char *component = walk->rest + strspn (walk->rest, "/");
      size_t length = strcspn (component, "/");
      char *rest = component + length;
      char copy[256];

      if (length == 0)
        break;
      if (length >= sizeof copy)
        is_good = dn_fail (failure, -ENAMETOOLONG, "a symbolic link on the way is too long");
      else if (length == 1 && *component == '.')
        memmove (walk->rest, rest, strlen (rest) + 1);
      else
        {
          memcpy (copy, component, length);
          copy[length] = '\0';
          is_good = step (walk, copy, rest, is_made, failure);
        }
    }
  if (is_good)
    {
      fd = openat (walk->fds[walk->count - 1], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (fd < 0)
        (void) dn_fail_errno (failure, "cannot open a directory");
    }
  step_back_to (walk, 1);
  free (walk);
  return fd;
}

int
dn_tree_walk (int root, const char *name, bool is_made, DnFailure *failure)
{
  /* Nearly always everything is there and no link leads anywhere: one call.  The kernel refuses
   * with EXDEV what is absolute or climbs out; the slow walk tells the two apart. */
  struct open_how how = {
    .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
  };
  int fd = (int) syscall (SYS_openat2, root, name, &how, sizeof how);

  return fd >= 0 ? fd : walk_slowly (root, name, is_made, failure);
}

struct DnNames
{
  char **names;         /* owned */
  unsigned char *types; /* owned */
  size_t count;
};

static bool
add_name (DnNames *names, const struct dirent *entry, int fd)
{
  struct stat status;
  unsigned char type = entry->d_type;

  if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
    return true;
  if (type == DT_UNKNOWN)
    type = fstatat (fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0
               ? (unsigned char) IFTODT (status.st_mode)
               : DT_REG;
  if (names->count % 64 == 0)
    {
      names->names = reallocarray (names->names, names->count + 64, sizeof *names->names);
      names->types = reallocarray (names->types, names->count + 64, sizeof *names->types);
      if (names->names == NULL || names->types == NULL)
        abort ();
    }
  names->names[names->count] = strdup (entry->d_name);
  names->types[names->count] = type;
  return names->names[names->count++] != NULL;
}

DnNames *
dn_names_read (int fd)
{
  DnNames *names = calloc (1, sizeof *names);
  int copy = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = copy >= 0 ? fdopendir (copy) : NULL;
  struct dirent *entry;

  if (names == NULL)
    abort ();
  if (directory == NULL)
    {
      if (copy >= 0)
        (void) close (copy);
      free (names);
      return NULL;
    }
  while ((entry = readdir (directory)) != NULL)
    if (!add_name (names, entry, fd))
      abort ();
  (void) closedir (directory);
  return names;
}

void
dn_names_free (DnNames *names)
{
  if (names == NULL)
    return;
  for (size_t i = 0; i < names->count; i++)
    free (names->names[i]);
  free (names->names);
  free (names->types);
  free (names);
}

size_t
dn_names_count (const DnNames *names)
{
  return names != NULL ? names->count : 0;
}

const char *
dn_names_at (const DnNames *names, size_t index)
{
  return names->names[index];
}

unsigned char
dn_names_type (const DnNames *names, size_t index)
{
  return names->types[index];
}
