/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inode-table.h"
#include "tree-walk.h"

struct DnTree
{
  int root; /* owned */
  uint32_t layer;
  DnInodeTable *inodes; /* owned */
  /* The directory found last: most entries follow another of the same directory.  Dropped when a
   * name could mean something else. */
  int parent;                          /* owned, or -1 */
  char parent_name[DN_PATH_BYTES + 1]; /* "" is the root */
};

DnTree *
dn_tree_new (int root)
{
  DnTree *tree = calloc (1, sizeof *tree);

  if (tree == NULL)
    abort ();
  tree->root = root;
  tree->parent = -1;
  tree->inodes = dn_inode_table_new ();
  return tree;
}

static void
forget_parent (DnTree *tree)
{
  if (tree->parent >= 0)
    (void) close (tree->parent);
  tree->parent = -1;
}

void
dn_tree_free (DnTree *tree)
{
  if (tree == NULL)
    return;
  forget_parent (tree);
  (void) close (tree->root);
  dn_inode_table_free (tree->inodes);
  free (tree);
}

int
dn_tree_root (const DnTree *tree)
{
  return tree->root;
}

void
dn_tree_set_layer (DnTree *tree, uint32_t layer)
{
  tree->layer = layer;
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
    memcpy (tree->parent_name, parent_name, length + 1);
  return tree->parent;
}

bool
dn_tree_mark (DnTree *tree, int fd, const struct timespec *mtime, DnFailure *failure)
{
  const struct timespec none = { 0 };
  struct stat status;

  if (fstat (fd, &status) < 0)
    return dn_fail_errno (failure, "cannot look at a file");
  dn_inode_table_set (tree->inodes, status.st_ino, tree->layer, mtime != NULL ? *mtime : none);
  return true;
}

bool
dn_tree_mark_at (DnTree *tree, int parent, const char *base, DnFailure *failure)
{
  const struct timespec none = { 0 };
  struct stat status;

  if (fstatat (parent, base, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return dn_fail_errno (failure, "cannot look at '%s'", dn_failure_name (base).text);
  dn_inode_table_set (tree->inodes, status.st_ino, tree->layer, none);
  return true;
}

static bool remove_children (DnTree *tree, int fd, bool only_lower, int depth, DnFailure *failure);

/* Removes one name.  With @only_lower what the current layer wrote stays, and so does a directory
 * that is not empty then. */
static bool
remove_name (DnTree *tree, int parent, const char *base, bool only_lower, int depth,
             DnFailure *failure)
{
  struct stat status;
  bool is_good = true;
  bool is_kept;
  int fd;

  if (fstatat (parent, base, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT
           || dn_fail_errno (failure, "cannot look at '%s'", dn_failure_name (base).text);
  is_kept = only_lower && dn_inode_table_layer (tree->inodes, status.st_ino) == tree->layer;
  if (S_ISDIR (status.st_mode))
    {
      fd = openat (parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (fd < 0)
        return dn_fail_errno (failure, "cannot open '%s'", dn_failure_name (base).text);
      is_good = remove_children (tree, fd, only_lower, depth + 1, failure);
    }
  if (!is_good || is_kept)
    return is_good;
  if (unlinkat (parent, base, S_ISDIR (status.st_mode) ? AT_REMOVEDIR : 0) < 0
      && !(only_lower && errno == ENOTEMPTY))
    return dn_fail_errno (failure, "cannot remove '%s'", dn_failure_name (base).text);
  return true;
}

/* Takes over @fd. */
static bool
remove_children (DnTree *tree, int fd, bool only_lower, int depth, DnFailure *failure)
{
  DnNames *names = depth > DN_TREE_DEPTH_MAX + 1 ? NULL : dn_names_read (fd);
  bool is_good = names != NULL
                 || dn_fail (failure, -ELOOP, "directories are nested too deep, or unreadable");

  for (size_t i = 0; is_good && i < dn_names_count (names); i++)
    is_good = remove_name (tree, fd, dn_names_at (names, i), only_lower, depth, failure);
  dn_names_free (names);
  (void) close (fd);
  return is_good;
}

bool
dn_tree_remove (DnTree *tree, int parent, const char *base, DnFailure *failure)
{
  /* @parent may be the remembered one: it stays open, but no name is looked up through it again
   * before a fresh walk. */
  tree->parent_name[0] = '\0';
  return remove_name (tree, parent, base, false, 0, failure);
}

bool
dn_tree_hide_lower (DnTree *tree, int fd, DnFailure *failure)
{
  int copy = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (copy < 0)
    return dn_fail_errno (failure, "cannot open a directory");
  tree->parent_name[0] = '\0';
  return remove_children (tree, copy, true, 0, failure);
}

/* Takes over @fd.  Children first, so that a directory's time is set when nothing changes it any
 * more. */
static bool
finish_directory (DnTree *tree, int fd, int depth, uint64_t *files, DnFailure *failure)
{
  DnNames *names = depth > DN_TREE_DEPTH_MAX + 1 ? NULL : dn_names_read (fd);
  bool is_good = names != NULL
                 || dn_fail (failure, -ELOOP, "directories are nested too deep, or unreadable");
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
  struct stat status;

  (*files)++;
  for (size_t i = 0; is_good && i < dn_names_count (names); i++)
    {
      int child;

      if (!dn_names_is_directory (names, i))
        {
          (*files)++;
          continue;
        }
      child = openat (fd, dn_names_at (names, i), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      is_good = child >= 0 ? finish_directory (tree, child, depth + 1, files, failure)
                           : dn_fail_errno (failure, "cannot open a directory");
    }
  dn_names_free (names);
  if (is_good && fstat (fd, &status) == 0)
    {
      times[1] = dn_inode_table_mtime (tree->inodes, status.st_ino);
      if (futimens (fd, times) < 0)
        is_good = dn_fail_errno (failure, "cannot set a directory's time");
    }
  (void) close (fd);
  return is_good;
}

bool
dn_tree_finish (DnTree *tree, uint64_t *ret_files, DnFailure *failure)
{
  uint64_t files = 0;
  int root = openat (tree->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (root < 0)
    return dn_fail_errno (failure, "cannot open the root");
  if (!finish_directory (tree, root, 0, &files, failure))
    return false;
  *ret_files = files;
  return true;
}
