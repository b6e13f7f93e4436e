/* SPDX-License-Identifier: Apache-2.0 */
#include "erofs-node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "erofs-attributes.h"
#include "tree-walk.h"
#include "tree.h"

/* Inodes with several names, by number. */
typedef struct
{
  DnErofsNode **slots; /* owned; each with the number of its inode beside it */
  uint64_t *numbers;   /* owned */
  size_t size;         /* a power of two */
  size_t used;
} Links;

typedef struct
{
  Links links;
  DnErofsNode *whiteout; /* the first */
  uint64_t count;
  DnFailure *failure;
} Reader;

static size_t
find_slot (const Links *links, uint64_t number)
{
  size_t at = (size_t) (number * 0x9e3779b97f4a7c15u >> 20) & (links->size - 1);

  while (links->slots[at] != NULL && links->numbers[at] != number)
    at = (at + 1) & (links->size - 1);
  return at;
}

static void
grow (Links *links)
{
  Links old = *links;

  links->size = old.size > 0 ? 2 * old.size : 256;
  links->slots = calloc (links->size, sizeof *links->slots);
  links->numbers = calloc (links->size, sizeof *links->numbers);
  if (links->slots == NULL || links->numbers == NULL)
    abort ();
  for (size_t i = 0; i < old.size; i++)
    if (old.slots[i] != NULL)
      {
        size_t at = find_slot (links, old.numbers[i]);

        links->slots[at] = old.slots[i];
        links->numbers[at] = old.numbers[i];
      }
  free (old.slots);
  free (old.numbers);
}

/* The node that stands for the inode: @node itself where it is the first with that number. */
static DnErofsNode *
remember (Links *links, uint64_t number, DnErofsNode *node)
{
  size_t at;

  if (links->used >= links->size / 2)
    grow (links);
  at = find_slot (links, number);
  if (links->slots[at] == NULL)
    {
      links->slots[at] = node;
      links->numbers[at] = number;
      links->used++;
    }
  return links->slots[at];
}

static DnErofsNode *
node_new (const char *name, const struct stat *status)
{
  size_t bytes = strlen (name) + 1;
  DnErofsNode *node = calloc (1, sizeof *node + bytes);

  if (node == NULL)
    abort ();
  memcpy (node->name, name, bytes);
  node->mode = status->st_mode;
  node->uid = status->st_uid;
  node->gid = status->st_gid;
  node->mtime = status->st_mtim.tv_sec > 0 ? (uint64_t) status->st_mtim.tv_sec : 0;
  node->mtime_nsec = (uint32_t) status->st_mtim.tv_nsec;
  node->size
      = S_ISREG (status->st_mode) || S_ISLNK (status->st_mode) ? (uint64_t) status->st_size : 0;
  return node;
}

static bool read_directory (Reader *reader, DnErofsNode *node, int fd, int depth);

/* The node of a name, with all that is below it. */
static DnErofsNode *
read_name (Reader *reader, int parent, const char *name, int depth)
{
  DnErofsNode *node;
  DnErofsNode *first;
  struct stat status;
  bool is_good;
  int fd;

  if (fstatat (parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    {
      (void) dn_fail_errno (reader->failure, "cannot look at '%s'", dn_failure_name (name).text);
      return NULL;
    }
  node = node_new (name, &status);
  first = node;
  if (S_ISCHR (status.st_mode))
    first = reader->whiteout = reader->whiteout != NULL ? reader->whiteout : node;
  else if (!S_ISDIR (status.st_mode) && status.st_nlink > 1)
    first = remember (&reader->links, status.st_ino, node);
  first->links++;
  if (first != node)
    {
      node->target = first;
      return node;
    }
  reader->count++;
  is_good = dn_erofs_attributes_read (parent, name, &node->attributes, &node->attributes_bytes,
                                      reader->failure);
  if (is_good && S_ISDIR (status.st_mode))
    {
      fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      is_good = fd >= 0 ? read_directory (reader, node, fd, depth + 1)
                        : dn_fail_errno (reader->failure, "cannot open '%s'",
                                         dn_failure_name (name).text);
    }
  if (is_good)
    return node;
  dn_erofs_node_free (node);
  return NULL;
}

static int
compare_texts (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Takes over @fd. */
static bool
read_directory (Reader *reader, DnErofsNode *node, int fd, int depth)
{
  DnNames *names = depth > DN_TREE_DEPTH_MAX + 1 ? NULL : dn_names_read (fd);
  size_t count = dn_names_count (names);
  bool is_good
      = names != NULL
        || dn_fail (reader->failure, -ELOOP, "directories are nested too deep, or unreadable");
  const char **sorted = calloc (count + 1, sizeof *sorted);

  node->children = calloc (count + 1, sizeof (DnErofsNode *));
  if (node->children == NULL || sorted == NULL)
    abort ();
  node->links++; /* its own "." */
  /* In order already while it is read: which of several names gets the inode, the order decides. */
  for (size_t i = 0; i < count; i++)
    sorted[i] = dn_names_at (names, i);
  qsort (sorted, count, sizeof *sorted, compare_texts);
  for (size_t i = 0; is_good && i < count; i++)
    {
      DnErofsNode *child = read_name (reader, fd, sorted[i], depth);

      is_good = child != NULL;
      if (!is_good)
        break;
      child->parent = node;
      node->children[node->count++] = child;
      node->links += S_ISDIR (child->mode) ? 1 : 0;
    }
  free (sorted);
  dn_names_free (names);
  (void) close (fd);
  return is_good;
}

DnErofsNode *
dn_erofs_node_read (int directory, uint64_t *ret_count, DnFailure *failure)
{
  Reader reader = { .failure = failure };
  DnErofsNode *root = read_name (&reader, directory, ".", 0);

  free (reader.links.slots);
  free (reader.links.numbers);
  if (root == NULL)
    return NULL;
  root->name[0] = '\0';
  root->parent = root;
  *ret_count = reader.count;
  return root;
}

void
dn_erofs_node_free (DnErofsNode *node)
{
  if (node == NULL)
    return;
  for (size_t i = 0; i < node->count; i++)
    dn_erofs_node_free (node->children[i]);
  free (node->children);
  free (node->attributes);
  free (node);
}

const DnErofsNode *
dn_erofs_node_inode (const DnErofsNode *node)
{
  return node->target != NULL ? node->target : node;
}
