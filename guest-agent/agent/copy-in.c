/* SPDX-License-Identifier: Apache-2.0 */
/* The helper that writes a tree: runs in the container's namespaces (copy.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../protocol/copy.h"
#include "autofd.h"
#include "copy.h"
#include "path.h"

#define BUFFER_BYTES (64 * 1024)

typedef struct
{
  int root;
  int input;
  const char *top; /* the directory to copy into */
  DnCopyEntry entry;
  char name[DN_COPY_NAME_BYTES + 1];
  char link[DN_COPY_NAME_BYTES + 1];
} Intake;

static int
read_all (int fd, void *bytes, size_t size)
{
  uint8_t *at = bytes;

  while (size > 0)
    {
      ssize_t n = read (fd, at, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return n < 0 ? -errno : -EPIPE;
      at += n;
      size -= (size_t) n;
    }
  return 0;
}

static int
read_entry (Intake *intake)
{
  uint8_t header[DN_COPY_HEADER_BYTES];
  int r;

  if ((r = read_all (intake->input, header, sizeof header)) < 0
      || (r = dn_copy_decode (header, &intake->entry)) < 0
      || (r = read_all (intake->input, intake->name, intake->entry.name_bytes)) < 0
      || (r = read_all (intake->input, intake->link, intake->entry.link_bytes)) < 0)
    return r;
  intake->name[intake->entry.name_bytes] = '\0';
  intake->link[intake->entry.link_bytes] = '\0';
  if (intake->entry.kind == DN_COPY_END)
    return 0;
  if (!dn_copy_name_is_safe (intake->name, intake->entry.name_bytes, false)
      || strlen (intake->link) != intake->entry.link_bytes)
    return -EPROTO;
  return 0;
}

/* Opens the directory the entry goes into.  Links on the way are the container's and are followed
 * within its root; @ret_base is the last component, which is never followed. */
static int
open_parent (const Intake *intake, const char **ret_base)
{
  char path[2 * DN_PATH_BYTES + 3];
  char *slash;

  (void) snprintf (path, sizeof path, "%s/%s", intake->top, intake->name);
  slash = strrchr (path, '/');
  *ret_base = intake->name + strlen (intake->name) - strlen (slash + 1);
  slash[1] = '\0'; /* stays: it demands a directory */
  return dn_path_open (intake->root, path, O_PATH | O_DIRECTORY, 0);
}

static int
write_file (const Intake *intake, int parent, const char *base)
{
  static uint8_t block[BUFFER_BYTES];
  const struct timespec times[2]
      = { { .tv_sec = intake->entry.mtime_s }, { .tv_sec = intake->entry.mtime_s } };
  uint64_t left = intake->entry.size_bytes;
  dn_autofd int fd = -1;
  int r = 0;

  /* A new file instead of writing into what is there: a link, or a file with other names. */
  if (unlinkat (parent, base, 0) < 0 && errno != ENOENT)
    return -errno;
  fd = openat (parent, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return -errno;
  while (r == 0 && left > 0)
    {
      size_t most = left < sizeof block ? (size_t) left : sizeof block;
      size_t written = 0;

      r = read_all (intake->input, block, most);
      while (r == 0 && written < most)
        {
          ssize_t n = write (fd, block + written, most - written);

          if (n < 0 && errno != EINTR)
            r = -errno;
          written += n > 0 ? (size_t) n : 0;
        }
      left -= most;
    }
  if (r == 0 && fchmod (fd, intake->entry.mode) < 0)
    r = -errno;
  (void) futimens (fd, times);
  return r;
}

static int
make_directory (const Intake *intake, int parent, const char *base)
{
  struct stat status;

  if (mkdirat (parent, base, 0700) < 0)
    {
      int saved_errno = errno;

      /* What exists keeps its mode. */
      if (saved_errno == EEXIST && fstatat (parent, base, &status, AT_SYMLINK_NOFOLLOW) == 0
          && S_ISDIR (status.st_mode))
        return 0;
      return -saved_errno;
    }
  return fchmodat (parent, base, intake->entry.mode, 0) < 0 ? -errno : 0;
}

static int
make_entry (const Intake *intake)
{
  const char *base;
  dn_autofd int parent = open_parent (intake, &base);

  if (parent < 0)
    return parent;
  switch (intake->entry.kind)
    {
    case DN_COPY_FILE:
      return write_file (intake, parent, base);
    case DN_COPY_DIRECTORY:
      return make_directory (intake, parent, base);
    case DN_COPY_LINK:
      if (unlinkat (parent, base, 0) < 0 && errno != ENOENT)
        return -errno;
      return symlinkat (intake->link, parent, base) < 0 ? -errno : 0;
    case DN_COPY_END:
      break;
    }
  return 0;
}

int
dn_copy_in (int root, const char *path, int input, DnFault *fault)
{
  static Intake intake;
  dn_autofd int top = dn_path_open (root, path, O_PATH | O_DIRECTORY, 0);
  uint32_t entries = 0;
  int r;

  if (top < 0)
    return dn_fault_set (fault, top, "copy to '%.256s': %s", path, strerror (-top));
  intake.root = root;
  intake.input = input;
  intake.top = path;
  for (;;)
    {
      r = read_entry (&intake);
      if (r == 0 && intake.entry.kind == DN_COPY_END)
        return 0;
      if (r == 0 && ++entries > DN_COPY_ENTRIES_MAX)
        r = -E2BIG;
      if (r < 0)
        return dn_fault_set (fault, r, "copy to '%.256s': the list of files: %s", path,
                             strerror (-r));
      r = make_entry (&intake);
      if (r < 0)
        return dn_fault_set (fault, r, "copy to '%.160s/%.160s': %s", path, intake.name,
                             strerror (-r));
    }
}
