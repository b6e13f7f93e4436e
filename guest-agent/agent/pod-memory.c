/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "autofd.h"

#define PATH_BYTES 512
#define OPTIONS_BYTES 512

/* Whether a size in bytes is more than the guest has; one in percent is not. */
static bool
is_too_large (const char *option)
{
  unsigned long long bytes = 0;
  struct sysinfo info;
  int end = 0;

  return sscanf (option, "size=%llu%n", &bytes, &end) == 1 && option[end] == '\0'
         && sysinfo (&info) == 0 && bytes > (unsigned long long) info.totalram * info.mem_unit;
}

/* The group of the container's range in the place of "gid=N", which is the guest's to the kernel.
 */
static int
append (char *options, const char *option, const DnConfig *config)
{
  size_t used = strlen (options);
  unsigned gid = 0;
  int n;

  if (sscanf (option, "gid=%u", &gid) == 1)
    n = snprintf (options + used, OPTIONS_BYTES - used, ",gid=%u",
                  config->first_gid + (gid < config->id_count ? gid : 0));
  else
    n = snprintf (options + used, OPTIONS_BYTES - used, ",%s",
                  is_too_large (option) ? "size=50%" : option);
  return n < 0 || (size_t) n >= OPTIONS_BYTES - used ? -1 : 0;
}

static int
make (const char *path, const DnConfigMount *wish, const DnConfig *config)
{
  char options[OPTIONS_BYTES];

  if (mkdir (path, 0700) < 0)
    return errno == EEXIST ? 0 : -1;
  (void) snprintf (options, sizeof options, "mode=1777,uid=%u,gid=%u", config->first_uid,
                   config->first_gid);
  for (size_t i = 0; i < wish->option_count; i++)
    if (append (options, wish->options[i], config) < 0)
      return -1;
  if (mount ("pod", path, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0)
    return 0;
  /* Not there, rather than there and no tmpfs. */
  {
    int saved_errno = errno;

    (void) rmdir (path);
    errno = saved_errno;
  }
  return -1;
}

/* One component down, made as @parent's directory is where it is missing. */
static int
go_down (int parent, const char *name, const DnConfig *config)
{
  struct stat status;

  if (strcmp (name, "..") == 0)
    {
      errno = EINVAL;
      return -1;
    }
  if (fstat (parent, &status) < 0)
    return -1;
  if (mkdirat (parent, name, 0700) == 0)
    {
      /* By descriptor: nobody else's directory may have come in its place. */
      dn_autofd int made = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

      if (made < 0 || fchown (made, config->first_uid, status.st_gid) < 0
          || fchmod (made, status.st_mode & 07777) < 0)
        return -1;
    }
  else if (errno != EEXIST)
    return -1;
  return openat (parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The directory @sub of the tmpfs at @path, or all of it: a descriptor, or -1 with errno. */
static int
open_part (const char *path, const char *sub, const DnConfig *config)
{
  dn_autofd int at = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  char copy[DN_PATH_BYTES + 1] = "";
  char *saved = NULL;

  if (sub != NULL)
    (void) snprintf (copy, sizeof copy, "%s", sub);
  for (char *name = strtok_r (copy, "/", &saved); at >= 0 && name != NULL;
       name = strtok_r (NULL, "/", &saved))
    {
      int below = go_down (at, name, config);

      dn_fd_clear (&at);
      at = below;
    }
  return dn_fd_steal (&at);
}

int
dn_pod_memory_tree (const char *run_dir, const DnConfigMount *mount, const DnConfig *config)
{
  struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | mount->attributes };
  char path[PATH_BYTES];
  dn_autofd int tree = -1, part = -1;

  (void) snprintf (path, sizeof path, "%s/pod/%s", run_dir, mount->memory);
  if (make (path, mount, config) < 0)
    return -1;
  part = open_part (path, mount->sub, config);
  if (part < 0)
    return -1;
  tree = open_tree (part, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0 || mount_setattr (tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return -1;
  return dn_fd_steal (&tree);
}
