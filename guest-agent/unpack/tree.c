/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree-walk.h"

/* A directory's path from the root, "" or "/a/b", with room for one more name. */
typedef struct
{
  char text[DN_PATH_BYTES + 1];
  size_t length;
} Path;

struct DnTree
{
  int root;                          /* owned */
  DnPathTable *notes;                /* owned */
  char root_path[DN_PATH_BYTES + 1]; /* as /proc has it */
  size_t root_length;
  /* The directory found last: most entries follow another of the same directory.  Dropped when a
   * name could mean something else. */
  int parent;                          /* owned, or -1 */
  char parent_name[DN_PATH_BYTES + 1]; /* "" is the root */
  Path parent_path;                    /* where that leads, without links */
};

/* Where a directory is, as the kernel sees it: names lead there by links, too. */
static ssize_t
read_path (int fd, char ret_path[DN_PATH_BYTES + 1])
{
  char name[64];
  ssize_t length;

  (void) snprintf (name, sizeof name, "/proc/self/fd/%d", fd);
  length = readlink (name, ret_path, DN_PATH_BYTES);
  if (length >= 0)
    ret_path[length] = '\0';
  return length;
}

DnTree *
dn_tree_new (int root, DnFailure *failure)
{
  DnTree *tree = calloc (1, sizeof *tree);
  ssize_t length;

  if (tree == NULL)
    abort ();
  tree->root = root;
  tree->parent = -1;
  tree->notes = dn_path_table_new ();
  length = read_path (root, tree->root_path);
  if (length < 0)
    {
      (void) dn_fail_errno (failure, "cannot tell where the tree is");
      dn_tree_free (tree);
      return NULL;
    }
  tree->root_length = (size_t) length;
  return tree;
}

static void
forget_parent (DnTree *tree)
{
  if (tree->parent >= 0)
    (void) close (tree->parent);
  tree->parent = -1;
}

DnPathTable *
dn_tree_end (DnTree *tree)
{
  DnPathTable *notes = tree->notes;

  forget_parent (tree);
  (void) close (tree->root);
  free (tree);
  return notes;
}

void
dn_tree_free (DnTree *tree)
{
  if (tree != NULL)
    dn_path_table_free (dn_tree_end (tree));
}

int
dn_tree_root (const DnTree *tree)
{
  return tree->root;
}

/* The path of a directory of the tree, from its root. */
static bool
find_path (const DnTree *tree, int fd, Path *ret_path, DnFailure *failure)
{
  char path[DN_PATH_BYTES + 1];
  ssize_t length;

  if (fd == tree->parent)
    {
      *ret_path = tree->parent_path;
      return true;
    }
  length = fd == tree->root ? (ssize_t) tree->root_length : read_path (fd, path);
  if (length < 0)
    return dn_fail_errno (failure, "a directory's path is over %d bytes", DN_PATH_BYTES);
  ret_path->length = (size_t) length - tree->root_length;
  memcpy (ret_path->text, fd == tree->root ? "" : path + tree->root_length, ret_path->length);
  ret_path->text[ret_path->length] = '\0';
  return true;
}

bool
dn_tree_check_name (const char *name, char *ret_name, DnFailure *failure)
{
  size_t used = 0;
  size_t depth = 0;

  if (*name == '/')
    return dn_fail (failure, -EINVAL, "'%s': the name is absolute", dn_failure_name (name).text);
  if (strlen (name) > DN_PATH_BYTES)
    return dn_fail (failure, -ENAMETOOLONG, "'%s': the name is over %d bytes",
                    dn_failure_name (name).text, DN_PATH_BYTES);
  for (const char *at = name; *at != '\0';)
    {
      size_t length = strcspn (at, "/");

      if (length == 2 && memcmp (at, "..", 2) == 0)
        return dn_fail (failure, -EINVAL, "'%s': the name has '..'", dn_failure_name (name).text);
      if (length > 255 || (length > 0 && ++depth > DN_TREE_DEPTH_MAX))
        return dn_fail (failure, -ENAMETOOLONG,
                        "'%s': a part of the name is over 255 bytes, or it is deeper than %d",
                        dn_failure_name (name).text, DN_TREE_DEPTH_MAX);
      if (length > 0 && !(length == 1 && *at == '.'))
        {
          if (used > 0)
            ret_name[used++] = '/';
          memmove (ret_name + used, at, length);
          used += length;
        }
      at += length;
      at += *at == '/';
    }
  ret_name[used] = '\0';
  return true;
}

int
dn_tree_open_parent (DnTree *tree, const char *name, bool is_made, const char **ret_base,
                     DnFailure *failure)
{
  const char *slash = strrchr (name, '/');
  size_t length = slash != NULL ? (size_t) (slash - name) : 0;
  char parent_name[DN_PATH_BYTES + 1];

  *ret_base = slash != NULL ? slash + 1 : name;
  if (length == 0)
    return tree->root;
  if (tree->parent >= 0 && strncmp (tree->parent_name, name, length) == 0
      && tree->parent_name[length] == '\0')
    return tree->parent;

  memcpy (parent_name, name, length);
  parent_name[length] = '\0';
  forget_parent (tree);
  tree->parent = dn_tree_walk (tree->root, parent_name, is_made, failure);
  if (tree->parent >= 0)
    {
      int parent = tree->parent;
      bool is_good;

      tree->parent = -1; /* for find_path(), which would take its word for it */
      is_good = find_path (tree, parent, &tree->parent_path, failure);
      tree->parent = parent;
      if (!is_good)
        {
          forget_parent (tree);
          return -1;
        }
      memcpy (tree->parent_name, parent_name, length + 1);
    }
  return tree->parent;
}

bool
dn_tree_mark (DnTree *tree, int parent, const char *base, const struct timespec *mtime,
              DnFailure *failure)
{
  DnPathNote note = { .is_written = true };
  uint64_t key;
  Path path;

  if (!find_path (tree, parent, &path, failure))
    return false;
  key = dn_path_key (path.text, base);
  note.is_opaque = dn_path_table_get (tree->notes, key).is_opaque;
  if (mtime != NULL)
    note.mtime = *mtime;
  dn_path_table_set (tree->notes, key, note);
  return true;
}

/* What is under way: removing names, everything or only what is from below. */
typedef struct
{
  DnTree *tree;
  bool only_lower;
  Path path; /* of the directory */
  DnFailure *failure;
} Removal;

static bool remove_children (Removal *removal, int fd, int depth);

/* Removes what is in directory @base of the one that @removal->path names. */
static bool
empty (Removal *removal, int parent, const char *base, int depth)
{
  size_t length = removal->path.length;
  size_t more = strlen (base) + 1;
  bool is_good;
  int fd;

  if (length + more > DN_PATH_BYTES)
    return dn_fail (removal->failure, -ENAMETOOLONG, "a directory's path is over %d bytes",
                    DN_PATH_BYTES);
  fd = openat (parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return dn_fail_errno (removal->failure, "cannot open '%s'", dn_failure_name (base).text);
  removal->path.text[length] = '/';
  memcpy (removal->path.text + length + 1, base, more);
  removal->path.length += more;
  is_good = remove_children (removal, fd, depth);
  removal->path.length = length;
  removal->path.text[length] = '\0';
  return is_good;
}

/* Removes one name.  With only_lower what the layer wrote stays, and so does a directory that is
 * not empty then. */
static bool
remove_name (Removal *removal, int parent, const char *base, int depth)
{
  uint64_t key = dn_path_key (removal->path.text, base);
  struct stat status;
  bool is_kept;

  if (fstatat (parent, base, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT
           || dn_fail_errno (removal->failure, "cannot look at '%s'", dn_failure_name (base).text);
  is_kept = removal->only_lower && dn_path_table_get (removal->tree->notes, key).is_written;
  if (S_ISDIR (status.st_mode) && !empty (removal, parent, base, depth + 1))
    return false;
  if (is_kept)
    return true;
  if (unlinkat (parent, base, S_ISDIR (status.st_mode) ? AT_REMOVEDIR : 0) == 0)
    dn_path_table_clear (removal->tree->notes, key);
  else if (!(removal->only_lower && errno == ENOTEMPTY))
    return dn_fail_errno (removal->failure, "cannot remove '%s'", dn_failure_name (base).text);
  return true;
}

/* Takes over @fd. */
static bool
remove_children (Removal *removal, int fd, int depth)
{
  DnNames *names = depth > DN_TREE_DEPTH_MAX + 1 ? NULL : dn_names_read (fd);
  bool is_good
      = names != NULL
        || dn_fail (removal->failure, -ELOOP, "directories are nested too deep, or unreadable");

  for (size_t i = 0; is_good && i < dn_names_count (names); i++)
    is_good = remove_name (removal, fd, dn_names_at (names, i), depth);
  dn_names_free (names);
  (void) close (fd);
  return is_good;
}

static bool
remove_or_hide (DnTree *tree, int parent, const char *base, bool only_lower, DnFailure *failure)
{
  Removal removal = { .tree = tree, .only_lower = only_lower, .failure = failure };

  if (!find_path (tree, parent, &removal.path, failure))
    return false;
  /* @parent may be the remembered one: it stays open, but no name is looked up through it again
   * before a fresh walk. */
  tree->parent_name[0] = '\0';
  return remove_name (&removal, parent, base, 0);
}

bool
dn_tree_remove (DnTree *tree, int parent, const char *base, DnFailure *failure)
{
  return remove_or_hide (tree, parent, base, false, failure);
}

bool
dn_tree_hide (DnTree *tree, int parent, const char *base, DnFailure *failure)
{
  return remove_or_hide (tree, parent, base, true, failure);
}

bool
dn_tree_hide_all (DnTree *tree, int directory, DnFailure *failure)
{
  Removal removal = { .tree = tree, .only_lower = true, .failure = failure };
  int copy = openat (directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DnPathNote note;
  uint64_t key;

  if (copy < 0)
    return dn_fail_errno (failure, "cannot open a directory");
  if (!find_path (tree, directory, &removal.path, failure))
    {
      (void) close (copy);
      return false;
    }
  key = dn_path_key (removal.path.text, "");
  note = dn_path_table_get (tree->notes, key);
  note.is_opaque = true;
  dn_path_table_set (tree->notes, key, note);
  tree->parent_name[0] = '\0';
  return remove_children (&removal, copy, 0);
}
