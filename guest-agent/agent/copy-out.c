/* SPDX-License-Identifier: Apache-2.0 */
/* The helper that reads a tree: runs in the container's namespaces (copy.h). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../../protocol/copy.h"
#include "autofd.h"
#include "copy.h"
#include "path.h"

#define DEPTH_MAX 200 /* one descriptor each */
#define BUFFER_BYTES (64 * 1024)

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202
#endif

typedef struct
{
  int output;
  uint32_t entries;
  bool has_changed; /* a file shrank while it was read */
  size_t used;
  char name[DN_COPY_NAME_BYTES + 1]; /* of the entry being sent, relative */
  uint8_t buffer[BUFFER_BYTES];
} Walk;

static int
flush_walk (Walk *walk)
{
  size_t written = 0;

  while (written < walk->used)
    {
      ssize_t n = write (walk->output, walk->buffer + written, walk->used - written);

      if (n < 0 && errno != EINTR)
        return -errno;
      written += n > 0 ? (size_t) n : 0;
    }
  walk->used = 0;
  return 0;
}

static int
put (Walk *walk, const void *bytes, size_t size)
{
  const uint8_t *at = bytes;

  while (size > 0)
    {
      size_t n = sizeof walk->buffer - walk->used;

      if (n > size)
        n = size;
      memcpy (walk->buffer + walk->used, at, n);
      walk->used += n;
      at += n;
      size -= n;
      if (walk->used == sizeof walk->buffer && flush_walk (walk) < 0)
        return -EPIPE;
    }
  return 0;
}

static int
put_entry (Walk *walk, DnCopyKind kind, const struct stat *status, const char *link)
{
  uint8_t header[DN_COPY_HEADER_BYTES];
  DnCopyEntry entry = { .kind = kind,
                        .mode = kind == DN_COPY_LINK ? 0777 : status->st_mode & 0777,
                        .size_bytes = kind == DN_COPY_FILE ? (uint64_t) status->st_size : 0,
                        .mtime_s = status->st_mtime,
                        .name_bytes = (uint16_t) strlen (walk->name),
                        .link_bytes = (uint16_t) strlen (link) };

  if (++walk->entries > DN_COPY_ENTRIES_MAX)
    return -E2BIG;
  dn_copy_encode (header, &entry);
  if (put (walk, header, sizeof header) < 0 || put (walk, walk->name, entry.name_bytes) < 0)
    return -EPIPE;
  return put (walk, link, entry.link_bytes);
}

/* Exactly the announced size: what a file lacks meanwhile is zeroes and an error at the end. */
static int
put_file (Walk *walk, int fd, const struct stat *status)
{
  static uint8_t block[BUFFER_BYTES];
  uint64_t left = (uint64_t) status->st_size;
  int r = put_entry (walk, DN_COPY_FILE, status, "");

  while (r == 0 && left > 0)
    {
      size_t most = left < sizeof block ? (size_t) left : sizeof block;
      ssize_t n = read (fd, block, most);

      if (n <= 0)
        {
          memset (block, 0, most);
          n = (ssize_t) most;
          walk->has_changed = true;
        }
      r = put (walk, block, (size_t) n);
      left -= (size_t) n;
    }
  return r;
}

/* The kernel's own file systems have no files worth copying, and some without end. */
static bool
is_synthetic (int fd)
{
  struct statfs status;

  if (fstatfs (fd, &status) < 0)
    return true;
  switch ((unsigned long) status.f_type)
    {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case DEVPTS_SUPER_MAGIC:
    case MQUEUE_MAGIC:
      return true;
    default:
      return false;
    }
}

static int put_tree (Walk *walk, int directory, unsigned depth);

/* One name in @parent, whose relative path is in walk->name already. */
static int
put_one (Walk *walk, int parent, const char *name, unsigned depth)
{
  char link[DN_COPY_NAME_BYTES + 1] = "";
  struct stat status;
  dn_autofd int fd = -1;

  if (fstatat (parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : -errno;
  if (S_ISLNK (status.st_mode))
    {
      ssize_t n = readlinkat (parent, name, link, sizeof link - 1);

      if (n <= 0)
        return 0;
      link[n] = '\0';
      return put_entry (walk, DN_COPY_LINK, &status, link);
    }
  if (!S_ISREG (status.st_mode) && !S_ISDIR (status.st_mode))
    return 0;
  /* Looked at before it is opened, since opening a device can do things; and again afterwards,
   * since the container may have put something else there. */
  fd = openat (parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &status) < 0)
    return errno == ENOENT || errno == ELOOP ? 0 : -errno;
  if (S_ISREG (status.st_mode))
    return is_synthetic (fd) ? 0 : put_file (walk, fd, &status);
  if (!S_ISDIR (status.st_mode))
    return 0;
  return put_entry (walk, DN_COPY_DIRECTORY, &status, "") < 0 ? -EPIPE
                                                              : put_tree (walk, fd, depth + 1);
}

static int
put_tree (Walk *walk, int directory, unsigned depth)
{
  size_t length = strlen (walk->name);
  struct dirent *entry;
  DIR *listing;
  int r = 0;

  if (is_synthetic (directory))
    return 0;
  if (depth > DEPTH_MAX)
    return -ELOOP;
  listing = fdopendir (fcntl (directory, F_DUPFD_CLOEXEC, 3));
  if (listing == NULL)
    return -errno;
  while (r == 0 && (entry = readdir (listing)) != NULL)
    {
      if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
        continue;
      if (length + 1 + strlen (entry->d_name) > DN_COPY_NAME_BYTES)
        {
          r = -ENAMETOOLONG;
          break;
        }
      if (length > 0)
        walk->name[length] = '/';
      strcpy (walk->name + length + (length > 0), entry->d_name);
      r = put_one (walk, directory, entry->d_name, depth);
    }
  walk->name[length] = '\0';
  (void) closedir (listing);
  return r;
}

/* The last component, or "" for the root and for paths that end in dots. */
static void
take_base_name (Walk *walk, const char *path)
{
  size_t end = strlen (path);
  size_t start;

  while (end > 0 && path[end - 1] == '/')
    end--;
  start = end;
  while (start > 0 && path[start - 1] != '/')
    start--;
  memcpy (walk->name, path + start, end - start);
  walk->name[end - start] = '\0';
  if (strcmp (walk->name, ".") == 0 || strcmp (walk->name, "..") == 0)
    walk->name[0] = '\0';
}

static int
put_top (Walk *walk, int root, const char *path)
{
  struct stat status;
  dn_autofd int looked = dn_path_open (root, path, O_PATH, 0);
  dn_autofd int fd = -1;

  if (looked < 0)
    return looked;
  if (fstat (looked, &status) < 0 || (!S_ISREG (status.st_mode) && !S_ISDIR (status.st_mode)))
    return -EINVAL;
  fd = dn_path_open (root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0)
    return fd;
  if (fstat (fd, &status) < 0)
    return -errno;
  if (S_ISREG (status.st_mode))
    return put_file (walk, fd, &status);
  if (!S_ISDIR (status.st_mode))
    return -EINVAL;
  /* The root itself has no name: its entries come bare. */
  if (walk->name[0] != '\0' && put_entry (walk, DN_COPY_DIRECTORY, &status, "") < 0)
    return -EPIPE;
  return put_tree (walk, fd, 0);
}

int
dn_copy_out (int root, const char *path, int output, DnFault *fault)
{
  static Walk walk;
  uint8_t header[DN_COPY_HEADER_BYTES];
  DnCopyEntry end = { .kind = DN_COPY_END };
  int r;

  walk.output = output;
  take_base_name (&walk, path);
  r = put_top (&walk, root, path);
  if (r < 0)
    return dn_fault_set (fault, r, "copy '%.256s': %s", path, strerror (-r));
  dn_copy_encode (header, &end);
  if (put (&walk, header, sizeof header) < 0 || flush_walk (&walk) < 0)
    return dn_fault_set (fault, -EPIPE, "copy '%.256s': nobody takes it", path);
  if (walk.has_changed)
    return dn_fault_set (fault, -EIO, "copy '%.256s': a file became shorter meanwhile", path);
  return 0;
}
