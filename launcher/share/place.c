/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"
#include "process-facts.h"
#include "root.h"

#define PLACE_BYTES 32

static void
format_place (uint32_t number, char ret_path[PLACE_BYTES])
{
  (void) snprintf (ret_path, PLACE_BYTES, "/share/%u", number);
}

bool
dn_share_place_enter (const DnShareProcess *process, DnShareAnswer *answer)
{
  const char *what = NULL;
  char path[64];
  int spaces, r;

  (void) snprintf (path, sizeof path, "/proc/%d/ns/mnt", (int) process->pid);
  /* Opened first: it is of the process that is checked afterwards, and so stays. */
  spaces = open (path, O_RDONLY | O_CLOEXEC);
  r = spaces < 0 ? -ESRCH : dn_share_process_check (process, &what);
  if (r == 0 && setns (spaces, CLONE_NEWNS) < 0)
    {
      r = -errno;
      what = "its mounts";
    }
  if (r == -ESRCH)
    dn_share_refuse (answer, ESRCH,
                     "the guest's share has ended\nstop the context's guest: the next one has a "
                     "share again");
  else if (r < 0)
    dn_share_refuse (answer, -r, "the guest's share: %s: is not as it was made", what);
  return r == 0;
}

void
dn_share_place_remove (uint32_t number)
{
  const struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
  char path[PLACE_BYTES];

  format_place (number, path);
  (void) syscall (SYS_mount_setattr, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &readonly,
                  sizeof readonly);
  (void) umount2 (path, MNT_DETACH | UMOUNT_NOFOLLOW);
  if (rmdir (path) < 0 && errno == ENOTDIR)
    (void) unlink (path);
}

void
dn_share_place_put (int tree, uint32_t number, bool is_directory, DnShareAnswer *answer)
{
  char path[PLACE_BYTES];
  int made;

  dn_share_root_strip ();
  dn_share_place_remove (number);
  format_place (number, path);
  made = is_directory ? mkdir (path, 0555)
                      : open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
  if (made < 0)
    dn_share_refuse (answer, errno, "its place in the share: %s", strerror (errno));
  else if (syscall (SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
    {
      dn_share_refuse (answer, errno, "its mount in the share: %s", strerror (errno));
      dn_share_place_remove (number);
    }
}
