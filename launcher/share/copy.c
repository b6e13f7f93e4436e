/* SPDX-License-Identifier: Apache-2.0 */
#include "copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"
#include "place.h"

#define DATA "..data"
#define DATA_NEW "..data-new"
#define DEPTH_MAX 8
#define FILE_NAME "file"
#define READ_ONLY                                                                                  \
  (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC                    \
   | MOUNT_ATTR_NOSYMFOLLOW)

/* What is left to be copied, and whose it becomes. */
typedef struct
{
  uid_t first_id;
  size_t bytes;
  size_t files;
} Budget;

static int copy_directory (int from, int to, Budget *budget, int depth);

/* An id of the host's as the share has it; what the pod has no number for is nobody's. */
static uid_t
translate (uid_t id, const Budget *budget)
{
  return DN_SHARE_FIRST_ID + budget->first_id + (id < DN_SHARE_POD_IDS ? id : DN_SHARE_POD_IDS - 2);
}

static int
own (int fd, const struct stat *status, const Budget *budget)
{
  if (fchown (fd, translate (status->st_uid, budget), translate (status->st_gid, budget)) < 0
      || fchmod (fd, status->st_mode & 0777) < 0)
    return -errno;
  return 0;
}

/* Likewise the top of a mount, whose descriptor is of its place alone. */
static int
own_top (int mount, const struct stat *status, const Budget *budget)
{
  int fd = openat (mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int r = fd < 0 ? -errno : own (fd, status, budget);

  if (fd >= 0)
    (void) close (fd);
  return r;
}

static int
copy_bytes (int from, int to, Budget *budget)
{
  char block[65536];

  for (;;)
    {
      ssize_t n = read (from, block, sizeof block);

      if (n <= 0)
        return n < 0 ? -errno : 0;
      if ((size_t) n > budget->bytes)
        return -EFBIG;
      budget->bytes -= (size_t) n;
      if (write (to, block, (size_t) n) != n)
        return errno != 0 ? -errno : -EIO;
    }
}

static int
copy_file (int directory, const char *name, int into, const struct stat *status, Budget *budget)
{
  int from = openat (directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), to, r;

  if (from < 0)
    return -errno;
  to = openat (into, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  r = to < 0 ? -errno : copy_bytes (from, to, budget);
  if (r == 0)
    r = own (to, status, budget);
  (void) close (from);
  if (to >= 0)
    (void) close (to);
  return r;
}

static int
copy_link (int directory, const char *name, int into, const struct stat *status,
           const Budget *budget)
{
  char text[PATH_MAX];
  ssize_t n = readlinkat (directory, name, text, sizeof text - 1);

  if (n < 0)
    return -errno;
  text[n] = '\0';
  if (symlinkat (text, into, name) < 0)
    return errno == EEXIST ? 0 : -errno;
  return fchownat (into, name, translate (status->st_uid, budget),
                   translate (status->st_gid, budget), AT_SYMLINK_NOFOLLOW)
                 < 0
             ? -errno
             : 0;
}

static int
copy_below (int directory, const char *name, int into, const struct stat *status, Budget *budget,
            int depth)
{
  int from = openat (directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), to, r;

  if (from < 0)
    return -errno;
  if (mkdirat (into, name, 0700) < 0 && errno != EEXIST)
    r = -errno;
  else
    {
      to = openat (into, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      r = to < 0 ? -errno : copy_directory (from, to, budget, depth + 1);
      if (r == 0)
        r = own (to, status, budget);
      if (to >= 0)
        (void) close (to);
    }
  (void) close (from);
  return r;
}

/* What is neither a file nor a directory nor a link has no place in such a volume. */
static int
copy_entry (int directory, const char *name, int into, Budget *budget, int depth)
{
  struct stat status;

  if (budget->files-- == 0 || depth == DEPTH_MAX)
    return -EFBIG;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return -errno;
  if (S_ISREG (status.st_mode))
    return copy_file (directory, name, into, &status, budget);
  if (S_ISDIR (status.st_mode))
    return copy_below (directory, name, into, &status, budget, depth);
  return S_ISLNK (status.st_mode) ? copy_link (directory, name, into, &status, budget) : 0;
}

static bool
is_dots (const char *name)
{
  return strcmp (name, ".") == 0 || strcmp (name, "..") == 0;
}

/* A stream of @fd's names, which stays the caller's; NULL with errno. */
static DIR *
list (int fd)
{
  int copy = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = copy < 0 ? NULL : fdopendir (copy);

  if (stream == NULL && copy >= 0)
    (void) close (copy);
  return stream;
}

static int
copy_directory (int from, int to, Budget *budget, int depth)
{
  DIR *stream = list (from);
  struct dirent *entry;
  int r = stream == NULL ? -errno : 0;

  while (r == 0 && (entry = readdir (stream)) != NULL)
    if (!is_dots (entry->d_name))
      r = copy_entry (from, entry->d_name, to, budget, depth);
  if (stream != NULL)
    (void) closedir (stream);
  return r;
}

static void
remove_tree (int directory, const char *name)
{
  int fd = openat (directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *stream = fd < 0 ? NULL : list (fd);
  struct dirent *entry;

  while (stream != NULL && (entry = readdir (stream)) != NULL)
    if (!is_dots (entry->d_name))
      remove_tree (fd, entry->d_name);
  if (stream != NULL)
    (void) closedir (stream);
  if (fd >= 0)
    (void) close (fd);
  if (unlinkat (directory, name, fd >= 0 ? AT_REMOVEDIR : 0) < 0 && fd < 0)
    (void) unlinkat (directory, name, AT_REMOVEDIR);
}

/* The name of the version that is shown: one of this directory. */
static int
read_version (int directory, char ret_name[NAME_MAX + 1])
{
  ssize_t n = readlinkat (directory, DATA, ret_name, NAME_MAX);

  if (n < 0)
    return -errno;
  ret_name[n] = '\0';
  return ret_name[0] == '\0' || strchr (ret_name, '/') != NULL || is_dots (ret_name)
                 || strcmp (ret_name, DATA) == 0
             ? -EINVAL
             : 0;
}

/* Names that are in the source no more, and versions but this one and the one before, which a
 * guest's kernel may still follow for a second. */
static int
remove_old (int from, int to, const char *version, const char *previous)
{
  DIR *stream = list (to);
  struct dirent *entry;
  struct stat status;

  if (stream == NULL)
    return -errno;
  while ((entry = readdir (stream)) != NULL)
    {
      const char *name = entry->d_name;

      if (is_dots (name) || strcmp (name, DATA) == 0 || strcmp (name, version) == 0
          || strcmp (name, previous) == 0)
        continue;
      if (strncmp (name, "..", 2) == 0 || fstatat (from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        remove_tree (to, name);
    }
  (void) closedir (stream);
  return 0;
}

/* The links into "..data"; those that are there stay. */
static int
copy_links (int from, int to, Budget *budget)
{
  DIR *stream = list (from);
  struct dirent *entry;
  struct stat status;
  int r = stream == NULL ? -errno : 0;

  while (r == 0 && (entry = readdir (stream)) != NULL)
    if (strncmp (entry->d_name, "..", 2) != 0 && !is_dots (entry->d_name)
        && fstatat (to, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
      r = copy_entry (from, entry->d_name, to, budget, 0);
  if (stream != NULL)
    (void) closedir (stream);
  return r;
}

/* Everything that changes happens between two names, so that whoever reads sees one version. */
static int
synchronise (int from, int to, uid_t first_id)
{
  Budget budget = { first_id, DN_SHARE_COPY_BYTES, DN_SHARE_COPY_FILES };
  char version[NAME_MAX + 1], present[NAME_MAX + 1] = "";
  int r = read_version (from, version);

  if (r == -ENOENT || r == -EINVAL)
    return read_version (to, present) == 0 ? 0 : copy_directory (from, to, &budget, 0);
  if (r < 0 || (read_version (to, present) == 0 && strcmp (version, present) == 0))
    return r;
  remove_tree (to, version);
  if ((r = copy_entry (from, version, to, &budget, 0)) < 0)
    {
      remove_tree (to, version);
      return r;
    }
  (void) unlinkat (to, DATA_NEW, 0);
  if (symlinkat (version, to, DATA_NEW) < 0
      || fchownat (to, DATA_NEW, translate (0, &budget), translate (0, &budget),
                   AT_SYMLINK_NOFOLLOW)
             < 0
      || renameat (to, DATA_NEW, to, DATA) < 0)
    return -errno;
  r = copy_links (from, to, &budget);
  return r < 0 ? r : remove_old (from, to, version, present);
}

static int
make_memory (void)
{
  int fs = (int) syscall (SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), fd, r = 0;
  const char *const options[][2]
      = { { "size", "33554432" }, { "nr_inodes", "16384" }, { "mode", "0755" } };

  if (fs < 0)
    return -errno;
  for (size_t i = 0; i < sizeof options / sizeof options[0] && r == 0; i++)
    if (syscall (SYS_fsconfig, fs, FSCONFIG_SET_STRING, options[i][0], options[i][1], 0) < 0)
      r = -errno;
  /* Known from Linux 6.4 on. */
  (void) syscall (SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "noswap", NULL, 0);
  if (r == 0 && syscall (SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
    r = -errno;
  fd = r < 0 ? -1
             : (int) syscall (SYS_fsmount, fs, FSMOUNT_CLOEXEC,
                              MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  if (r == 0 && fd < 0)
    r = -errno;
  (void) close (fs);
  return r < 0 ? r : fd;
}

static int
fill_file (int source_fd, const struct stat *status, int memory, uid_t first_id)
{
  Budget budget = { first_id, DN_SHARE_COPY_BYTES, 1 };
  int to = openat (memory, FILE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  int r = to < 0 ? -errno : copy_bytes (source_fd, to, &budget);

  if (r == 0)
    r = own (to, status, &budget);
  if (to >= 0)
    (void) close (to);
  return r;
}

/* What is mounted in the place of a file is a file: the one that is in the tmpfs, which has to be
 * in a place itself until then. */
static void
put_file (int memory, uint32_t number, DnShareAnswer *answer)
{
  char path[48];
  int tree;

  dn_share_place_put (memory, number, true, answer);
  if (answer->code != 0)
    return;
  (void) snprintf (path, sizeof path, "/share/%u/" FILE_NAME, number);
  tree = (int) syscall (SYS_open_tree, AT_FDCWD, path,
                        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
  if (tree < 0)
    {
      dn_share_refuse (answer, errno, "its copy: %s", strerror (errno));
      dn_share_place_remove (number);
      return;
    }
  dn_share_place_put (tree, number, false, answer);
  (void) close (tree);
}

/* Of a directory; a new tmpfs is its own. */
static int
fill_directory (int source_fd, const struct stat *status, int memory, uid_t first_id)
{
  const Budget ids = { .first_id = first_id };
  int r = synchronise (source_fd, memory, first_id);

  return r < 0 ? r : own_top (memory, status, &ids);
}

void
dn_share_copy_make (int source_fd, uint32_t number, uid_t first_id, DnShareAnswer *answer)
{
  struct mount_attr readonly = { .attr_set = READ_ONLY, .propagation = 1 << 18 /* MS_PRIVATE */ };
  struct stat status;
  int memory = make_memory (), r = memory < 0 ? memory : 0;

  if (r == 0 && fstat (source_fd, &status) < 0)
    r = -errno;
  if (r == 0)
    r = S_ISDIR (status.st_mode) ? fill_directory (source_fd, &status, memory, first_id)
                                 : fill_file (source_fd, &status, memory, first_id);
  /* It was written through this very mount, which is what virtiofsd gets to see now. */
  if (r == 0
      && syscall (SYS_mount_setattr, memory, "", AT_EMPTY_PATH, &readonly, sizeof readonly) < 0)
    r = -errno;
  if (r < 0)
    dn_share_refuse (answer, -r, "its copy: %s", strerror (-r));
  else if (S_ISDIR (status.st_mode))
    dn_share_place_put (memory, number, true, answer);
  else
    put_file (memory, number, answer);
  if (memory >= 0)
    (void) close (memory);
}

void
dn_share_copy_refresh (int source_fd, uint32_t number, uid_t first_id, DnShareAnswer *answer)
{
  const struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
  char path[32];
  int memory, r;

  (void) snprintf (path, sizeof path, "/share/%u", number);
  memory = (int) syscall (SYS_open_tree, AT_FDCWD, path,
                          OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
  r = memory < 0 ? -errno : 0;
  if (r == 0
      && syscall (SYS_mount_setattr, memory, "", AT_EMPTY_PATH, &writable, sizeof writable) < 0)
    r = -errno;
  if (r == 0)
    r = synchronise (source_fd, memory, first_id);
  if (memory >= 0)
    (void) close (memory);
  if (r < 0)
    dn_share_refuse (answer, -r, "its copy: %s", strerror (-r));
}
