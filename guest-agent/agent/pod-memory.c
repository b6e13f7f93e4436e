/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autofd.h"

#define PATH_BYTES 512
#define OPTIONS_BYTES 512

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
    n = snprintf (options + used, OPTIONS_BYTES - used, ",%s", option);
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

int
dn_pod_memory_tree (const char *run_dir, const DnConfigMount *mount, const DnConfig *config)
{
  struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | mount->attributes };
  char path[PATH_BYTES];
  dn_autofd int tree = -1;

  (void) snprintf (path, sizeof path, "%s/pod/%s", run_dir, mount->memory);
  if (make (path, mount, config) < 0)
    return -1;
  tree = open_tree (AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0 || mount_setattr (tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return -1;
  return dn_fd_steal (&tree);
}
