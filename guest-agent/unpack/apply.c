/* SPDX-License-Identifier: Apache-2.0 */
#include "apply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define WHITEOUT ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"
#define WHITEOUT_OTHER ".wh..wh." /* what aufs kept for itself */
#define MODE_KEPT 01777           /* no set-id bits */
#define ATTRIBUTES_MAX 64

/* An entry on its way, with its checked name. */
typedef struct
{
  DnTree *tree;
  struct archive *layer;
  struct archive_entry *entry;
  const char *name;
  int parent; /* borrowed from the tree */
  const char *base;
  DnFailure *failure;
} Item;

static bool
fail (const Item *item, const char *what)
{
  return dn_fail_errno (item->failure, "'%s': %s", dn_failure_name (item->name).text, what);
}

static void
times_of (struct archive_entry *entry, struct timespec ret_times[2])
{
  ret_times[0] = (struct timespec){ .tv_nsec = UTIME_OMIT };
  ret_times[1] = (struct timespec){ 0 };
  if (archive_entry_mtime_is_set (entry) && archive_entry_mtime (entry) >= 0)
    ret_times[1] = (struct timespec){ .tv_sec = archive_entry_mtime (entry),
                                      .tv_nsec = archive_entry_mtime_nsec (entry) };
}

/* Numbers only; negative ones and those of no user are refused. */
static bool
owner_of (const Item *item, uid_t *ret_uid, gid_t *ret_gid)
{
  la_int64_t uid = archive_entry_uid (item->entry);
  la_int64_t gid = archive_entry_gid (item->entry);

  if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
    return dn_fail (item->failure, -EINVAL, "'%s': its owner is no user id",
                    dn_failure_name (item->name).text);
  /* Without root (tests) owners cannot be kept. */
  *ret_uid = geteuid () == 0 ? (uid_t) uid : (uid_t) -1;
  *ret_gid = geteuid () == 0 ? (gid_t) gid : (gid_t) -1;
  return true;
}

static bool
set_attributes (const Item *item, int fd)
{
  const char *name;
  const void *value;
  size_t size;
  int count = 0;

  if (archive_entry_xattr_reset (item->entry) == 0)
    return true;
  while (archive_entry_xattr_next (item->entry, &name, &value, &size) == ARCHIVE_OK)
    {
      if (name == NULL || strncmp (name, "user.", 5) != 0)
        continue;
      if (++count > ATTRIBUTES_MAX)
        return dn_fail (item->failure, -E2BIG, "'%s': more than %d extended attributes",
                        dn_failure_name (item->name).text, ATTRIBUTES_MAX);
      if (fsetxattr (fd, name, value, size, 0) < 0)
        return fail (item, "cannot set an extended attribute");
    }
  return true;
}

/* Owner first: changing it would clear bits of the mode. */
static bool
set_metadata (const Item *item, int fd)
{
  uid_t uid;
  gid_t gid;

  if (!owner_of (item, &uid, &gid))
    return false;
  if (fchown (fd, uid, gid) < 0)
    return fail (item, "cannot set the owner");
  if (fchmod (fd, archive_entry_perm (item->entry) & MODE_KEPT) < 0)
    return fail (item, "cannot set the mode");
  return set_attributes (item, fd);
}

/* The same for what cannot be opened. */
static bool
set_metadata_at (const Item *item, bool has_mode)
{
  struct timespec times[2];
  uid_t uid;
  gid_t gid;

  if (!owner_of (item, &uid, &gid))
    return false;
  if (fchownat (item->parent, item->base, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
    return fail (item, "cannot set the owner");
  if (has_mode
      && fchmodat (item->parent, item->base, archive_entry_perm (item->entry) & MODE_KEPT, 0) < 0)
    return fail (item, "cannot set the mode");
  times_of (item->entry, times);
  if (utimensat (item->parent, item->base, times, AT_SYMLINK_NOFOLLOW) < 0)
    return fail (item, "cannot set the time");
  return dn_tree_mark (item->tree, item->parent, item->base, NULL, item->failure);
}

/* Writes the entry's bytes.  Holes count as bytes: the image will have them. */
static bool
write_bytes (const Item *item, int fd, DnBudget *budget)
{
  la_int64_t declared = archive_entry_size (item->entry);
  const void *bytes;
  la_int64_t offset;
  size_t size;
  int result;

  if (declared < 0 || (uint64_t) declared > budget->bytes)
    return dn_fail (item->failure, -EFBIG, "'%s': the files are larger than the limit",
                    dn_failure_name (item->name).text);
  budget->bytes -= (uint64_t) declared;
  while ((result = archive_read_data_block (item->layer, &bytes, &size, &offset)) == ARCHIVE_OK)
    {
      if (offset < 0 || offset > declared || size > (uint64_t) (declared - offset))
        return dn_fail (item->failure, -EINVAL, "'%s': has more bytes than it says",
                        dn_failure_name (item->name).text);
      for (size_t written = 0; written < size;)
        {
          ssize_t n = pwrite (fd, (const char *) bytes + written, size - written,
                              offset + (off_t) written);

          if (n < 0)
            return fail (item, "cannot write");
          written += (size_t) n;
        }
    }
  if (result != ARCHIVE_EOF)
    {
      const char *words = archive_error_string (item->layer);

      return dn_fail (item->failure, -EINVAL, "'%s': %s", dn_failure_name (item->name).text,
                      dn_failure_name (words != NULL ? words : "unknown error").text);
    }
  return ftruncate (fd, declared) == 0 || fail (item, "cannot write");
}

/* Calls make() until nothing is in the way: what a lower layer, or an earlier entry of this one,
 * has under the name is replaced. */
static bool
make_anew (const Item *item, int (*make) (const Item *item), int *ret_result)
{
  int result = make (item);

  if (result < 0 && errno == EEXIST)
    {
      if (!dn_tree_remove (item->tree, item->parent, item->base, item->failure))
        return false;
      result = make (item);
    }
  if (result < 0)
    return fail (item, "cannot make it");
  *ret_result = result;
  return true;
}

static int
make_file (const Item *item)
{
  return openat (item->parent, item->base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                 0600);
}

static int
make_link (const Item *item)
{
  return symlinkat (archive_entry_symlink (item->entry), item->parent, item->base);
}

static int
make_fifo (const Item *item)
{
  return mkfifoat (item->parent, item->base, 0600);
}

static int
make_directory (const Item *item)
{
  return mkdirat (item->parent, item->base, 0700);
}

static bool
apply_file (const Item *item, DnBudget *budget)
{
  struct timespec times[2];
  bool is_good;
  int fd;

  if (!make_anew (item, make_file, &fd))
    return false;
  times_of (item->entry, times);
  is_good = write_bytes (item, fd, budget) && set_metadata (item, fd)
            && (futimens (fd, times) == 0 || fail (item, "cannot set the time"))
            && dn_tree_mark (item->tree, item->parent, item->base, NULL, item->failure);
  (void) close (fd);
  return is_good;
}

static bool
apply_symbolic_link (const Item *item)
{
  const char *target = archive_entry_symlink (item->entry);
  int result;

  if (target == NULL || *target == '\0' || strlen (target) > DN_PATH_BYTES)
    return dn_fail (item->failure, -EINVAL, "'%s': a link to a name that is empty or too long",
                    dn_failure_name (item->name).text);
  return make_anew (item, make_link, &result) && set_metadata_at (item, false);
}

/* A directory stays what it was, with new owner, mode and time; anything else gives way. */
static bool
apply_directory (const Item *item)
{
  struct timespec times[2];
  int result;
  bool is_good;
  int fd;

  fd = item->base[0] == '\0'
           ? openat (item->parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
           : openat (item->parent, item->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    {
      if (!make_anew (item, make_directory, &result))
        return false;
      fd = openat (item->parent, item->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (fd < 0)
        return fail (item, "cannot open it");
    }
  times_of (item->entry, times);
  is_good = set_metadata (item, fd)
            && dn_tree_mark (item->tree, item->parent, item->base, &times[1], item->failure);
  (void) close (fd);
  return is_good;
}

/* Whether the link would be its own target, perhaps by another way. */
static bool
is_itself (const Item *item, int kept, int parent, const char *base)
{
  struct stat ours;
  struct stat theirs;

  return strcmp (item->base, base) == 0 && fstat (kept, &ours) == 0 && fstat (parent, &theirs) == 0
         && ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* The target is a name in this root, never followed if it is a link itself. */
static bool
apply_hard_link (const Item *item)
{
  char target[DN_PATH_BYTES + 1];
  const char *text = archive_entry_hardlink (item->entry);
  const char *base;
  struct stat source;
  bool is_good;
  int kept;
  int parent;

  if (!dn_tree_check_name (text, target, item->failure))
    return dn_fail_prefix (item->failure, "'%s': hard link", dn_failure_name (item->name).text);
  if (target[0] == '\0')
    return dn_fail (item->failure, -EINVAL, "'%s': hard link to the root",
                    dn_failure_name (item->name).text);
  /* Finding the target may drop the tree's descriptor of our own parent. */
  kept = fcntl (item->parent, F_DUPFD_CLOEXEC, 3);
  if (kept < 0)
    return fail (item, "cannot keep a descriptor");
  parent = dn_tree_open_parent (item->tree, target, false, &base, item->failure);
  if (parent < 0)
    is_good = dn_fail_prefix (item->failure, "'%s': hard link to '%s'",
                              dn_failure_name (item->name).text, dn_failure_name (target).text);
  else if (fstatat (parent, base, &source, AT_SYMLINK_NOFOLLOW) < 0)
    is_good = fail (item, "hard link to what is not there");
  else if (S_ISDIR (source.st_mode))
    is_good = dn_fail (item->failure, -EINVAL, "'%s': hard link to a directory",
                       dn_failure_name (item->name).text);
  else if (is_itself (item, kept, parent, base))
    is_good = true;
  else
    is_good = dn_tree_remove (item->tree, kept, item->base, item->failure)
              && (linkat (parent, base, kept, item->base, 0) == 0
                  || fail (item, "cannot make the hard link"))
              && dn_tree_mark (item->tree, kept, item->base, NULL, item->failure);
  (void) close (kept);
  return is_good;
}

static bool
apply_whiteout (DnTree *tree, const char *name, const char *base, DnFailure *failure)
{
  const char *hidden = base + strlen (WHITEOUT);
  int parent;

  /* The rest of the name has been checked; what the prefix hid has not. */
  if (strncmp (base, WHITEOUT_OTHER, strlen (WHITEOUT_OTHER)) != 0
      && (*hidden == '\0' || strcmp (hidden, ".") == 0 || strcmp (hidden, "..") == 0))
    return dn_fail (failure, -EINVAL, "'%s': a whiteout of no name", dn_failure_name (name).text);
  parent = dn_tree_open_parent (tree, name, false, &base, failure);
  if (parent < 0)
    {
      if (failure->status != -ENOENT)
        return dn_fail_prefix (failure, "'%s'", dn_failure_name (name).text);
      failure->status = 0; /* nothing there to hide */
      return true;
    }
  if (strcmp (base, WHITEOUT_OPAQUE) == 0)
    return dn_tree_hide_all (tree, parent, failure);
  if (strncmp (base, WHITEOUT_OTHER, strlen (WHITEOUT_OTHER)) == 0)
    return true;
  return dn_tree_hide (tree, parent, base + strlen (WHITEOUT), failure);
}

static bool
apply_by_kind (const Item *item, DnBudget *budget)
{
  int result;

  if (item->base[0] == '\0' && archive_entry_filetype (item->entry) != AE_IFDIR)
    return dn_fail (item->failure, -EINVAL, "the root is not a directory");
  if (archive_entry_hardlink (item->entry) != NULL)
    return apply_hard_link (item);
  switch (archive_entry_filetype (item->entry))
    {
    case AE_IFREG:
      return apply_file (item, budget);
    case AE_IFDIR:
      return apply_directory (item);
    case AE_IFLNK:
      return apply_symbolic_link (item);
    case AE_IFIFO:
      return make_anew (item, make_fifo, &result) && set_metadata_at (item, true);
    case AE_IFCHR:
    case AE_IFBLK:
      return dn_fail (item->failure, -EPERM, "'%s': a device node",
                      dn_failure_name (item->name).text);
    default:
      return dn_fail (item->failure, -EINVAL, "'%s': of an unknown kind",
                      dn_failure_name (item->name).text);
    }
}

bool
dn_apply_entry (DnTree *tree, struct archive *layer, struct archive_entry *entry, DnBudget *budget,
                DnFailure *failure)
{
  char name[DN_PATH_BYTES + 1];
  const char *raw = archive_entry_pathname (entry);
  Item item = { .tree = tree, .layer = layer, .entry = entry, .name = name, .failure = failure };
  const char *slash;

  if (raw == NULL || *raw == '\0')
    return dn_fail (failure, -EINVAL, "an entry has no name");
  if (!dn_tree_check_name (raw, name, failure))
    return false;
  if (budget->files == 0)
    return dn_fail (failure, -EFBIG, "'%s': more files than the limit",
                    dn_failure_name (name).text);
  budget->files--;

  slash = strrchr (name, '/');
  item.base = slash != NULL ? slash + 1 : name;
  if (strncmp (item.base, WHITEOUT, strlen (WHITEOUT)) == 0)
    return apply_whiteout (tree, name, item.base, failure);
  item.parent = name[0] == '\0' ? dn_tree_root (tree)
                                : dn_tree_open_parent (tree, name, true, &item.base, failure);
  if (item.parent < 0)
    return dn_fail_prefix (failure, "'%s'", dn_failure_name (name).text);
  return apply_by_kind (&item, budget);
}
