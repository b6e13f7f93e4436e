/* SPDX-License-Identifier: Apache-2.0 */
/* Where a container's secrets are to be found besides their directory: symbolic links to it.
 *
 * A link, not a mount of the one file: a mount would go on showing the old content when a new one
 * is renamed into its place.  The link is made by the container's own root in its own root, like
 * all of the child's work, and before the program runs; in the place of a file of the image's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autofd.h"
#include "child-mounts.h"
#include "child.h"
#include "path.h"

static int
make_link (int parent, const char *base, const char *to)
{
  struct stat status;

  if (fstatat (parent, base, &status, AT_SYMLINK_NOFOLLOW) == 0)
    {
      if (S_ISDIR (status.st_mode))
        return -EISDIR;
      if (unlinkat (parent, base, 0) < 0)
        return -errno;
    }
  return symlinkat (to, parent, base) < 0 ? -errno : 0;
}

/* @link: "NAME TARGET", as the config's check has found it. */
static int
place_one (int root, const char *directory, const char *link, DnFault *fault)
{
  const char *target = strchr (link, ' ') + 1;
  const char *base = strrchr (target, '/') + 1;
  char parent_path[DN_PATH_BYTES + 1];
  char to[DN_PATH_BYTES + DN_SECRET_NAME_BYTES + 2];
  dn_autofd int parent = -1;
  int r;

  (void) snprintf (parent_path, sizeof parent_path, "%.*s", (int) (base - target), target);
  (void) snprintf (to, sizeof to, "%s/%.*s", directory, (int) (target - 1 - link), link);
  parent = dn_path_make (root, parent_path, true);
  r = parent < 0 ? parent : make_link (parent, base, to);
  if (r == -EISDIR)
    return dn_fault_set (fault, -EIO, "secret at '%s': the image has a directory there", target);
  if (r < 0)
    return dn_fault_set (fault, -EIO, "secret at '%s': it cannot be placed there: %s", target,
                         strerror (-r));
  return 0;
}

int
dn_child_link_secrets (DnChild *child, DnFault *fault)
{
  const DnConfig *config = child->plan->config;
  int r = 0;

  for (size_t i = 0; i < config->mount_count && r == 0; i++)
    for (size_t k = 0; k < config->mounts[i].links.count && r == 0; k++)
      r = place_one (child->root_fd, config->mounts[i].target, config->mounts[i].links.items[k],
                     fault);
  return r;
}
