/* SPDX-License-Identifier: Apache-2.0 */
/* What the owner of a guest's kernel can do through the share of host directories, by its own
 * kernel's driver (tests/share speaks FUSE itself, and says more).  hook.c runs these as guest
 * root; each is tried as root and then under the id that owns the bind, with all capabilities left:
 * no permission of the guest's stands in the way, what refuses is the host.
 *
 * In the share: /0, which the container may write, and /1, the same directory of the host's
 * read-only (guest_root.py).  Nothing here changes a file where it is refused, as it shall be. */
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "probe.h"

#define SHARE "/run/danchi/share"
#define WRITABLE SHARE "/0"
#define READ_ONLY SHARE "/1"

typedef enum
{
  OPEN, /* aim.b: flags, with 0600 */
  MAKE_DIRECTORY,
  MAKE_NODE, /* aim.b: kind and mode */
  MAKE_LINK, /* a second name of the bind's own file */
  REMOVE,
  REMOVE_DIRECTORY,
  MOVE_THERE, /* the bind's own file */
  SET_MODE,   /* aim.b */
  GIVE_AWAY,  /* aim.b: to this id */
  SET_ATTRIBUTE,
  SET_TIMES,
  CUT,
  OPEN_HANDLE, /* a handle that was never given out */
} Operation;

static int
open_it (const char *path, int flags)
{
  int fd = open (path, flags | O_CLOEXEC | O_NONBLOCK, 0600);

  if (fd < 0)
    return -1;
  (void) close (fd);
  return 0;
}

/* Of FUSE: the number of a file and its generation.  Source: name_to_handle_at(2). */
static int
open_handle (const char *path)
{
  union
  {
    struct file_handle handle;
    char bytes[sizeof (struct file_handle) + MAX_HANDLE_SZ];
  } all = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
  int mount_id, fd;
  int top = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (top < 0 || name_to_handle_at (top, "", &all.handle, &mount_id, AT_EMPTY_PATH) < 0)
    return -1;
  all.handle.f_handle[0] ^= 0x5a;
  all.handle.f_handle[5] ^= 0x5a;
  fd = open_by_handle_at (top, &all.handle, O_RDONLY | O_CLOEXEC);
  (void) close (top);
  if (fd >= 0)
    (void) close (fd);
  return fd < 0 ? -1 : 0;
}

static int
operate (const DnAim *aim)
{
  switch ((Operation) aim->a)
    {
    case OPEN:
      return open_it (aim->path, (int) aim->b);
    case MAKE_DIRECTORY:
      return mkdir (aim->path, 0700);
    case MAKE_NODE:
      return mknod (aim->path, (mode_t) aim->b, makedev (1, 3));
    case MAKE_LINK:
      return link (WRITABLE "/mine", aim->path);
    case REMOVE:
      return unlink (aim->path);
    case REMOVE_DIRECTORY:
      return rmdir (aim->path);
    case MOVE_THERE:
      return rename (WRITABLE "/mine", aim->path);
    case SET_MODE:
      return chmod (aim->path, (mode_t) aim->b);
    case GIVE_AWAY:
      return chown (aim->path, (uid_t) aim->b, (gid_t) aim->b);
    case SET_ATTRIBUTE:
      return setxattr (aim->path, "security.capability",
                       "\1\0\0\2\377\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0);
    case SET_TIMES:
      return utimensat (AT_FDCWD, aim->path, NULL, 0);
    case CUT:
      return truncate (aim->path, 0);
    case OPEN_HANDLE:
      return open_handle (aim->path);
    }
  errno = EINVAL;
  return -1;
}

/* As whom files of the bind appear, and with every capability of before. */
static int
become_owner (void)
{
  struct stat status;

  if (stat (WRITABLE "/mine", &status) < 0 || status.st_uid == 0 || status.st_uid == 65534
      || prctl (PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0
      || setresgid (status.st_gid, status.st_gid, status.st_gid) < 0)
    return -1;
  return setresuid (status.st_uid, status.st_uid, status.st_uid);
}

static int
try_as_both (const DnAim *aim)
{
  struct stat status;

  /* Where there is no share, nothing is refused by it. */
  if (stat (WRITABLE "/mine", &status) < 0 || operate (aim) == 0)
    return stat (WRITABLE "/mine", &status) < 0 ? DN_SEEN_UNKNOWN : 0;
  if (become_owner () < 0)
    return DN_SEEN_UNKNOWN;
  return dn_seen (operate (aim));
}

/* That the owner's way is open at all: a file of the bind's own is read and written as what it is.
 */
static int
use_own (const DnAim *aim)
{
  if (become_owner () < 0)
    return DN_SEEN_UNKNOWN;
  return dn_seen (open_it (aim->path, O_RDWR));
}

static int
mount_another (const DnAim *aim)
{
  if (mkdir ("/run/danchi/another", 0700) < 0 && errno != EEXIST)
    return DN_SEEN_UNKNOWN;
  return dn_seen (mount (aim->path, "/run/danchi/another", "virtiofs", 0, NULL));
}

#define TRY(id, technique, accepted, file, operation, value)                                       \
  {                                                                                                \
    "share." id, technique, "R3.4", accepted, NULL, try_as_both,                                   \
    {                                                                                              \
      .path = file, .a = operation, .b = value                                                     \
    }                                                                                              \
  }

static const DnProbe probes[] = {
  { "share.own",
    "a bind's own file, by its owner",
    "R5.7",
    "ok",
    NULL,
    use_own,
    { .path = WRITABLE "/mine" } },
  TRY ("top-create", "a file beside the binds", "EROFS EACCES EPERM", SHARE "/x", OPEN,
       O_WRONLY | O_CREAT),
  TRY ("top-directory", "a directory beside the binds", "EROFS EACCES EPERM", SHARE "/x",
       MAKE_DIRECTORY, 0),
  TRY ("top-remove", "a bind, removed", "EROFS EACCES EPERM EBUSY", WRITABLE, REMOVE_DIRECTORY, 0),
  TRY ("top-rename", "a file, moved out of its bind", "EXDEV EROFS EACCES EPERM", SHARE "/x",
       MOVE_THERE, 0),
  TRY ("dots", "a way up, out of the share", "ENOENT", WRITABLE "/../../../../other/secret", OPEN,
       O_RDONLY),
  TRY ("link", "a link of the host's that leads out of the bind", "ENOENT",
       WRITABLE "/way-out/secret", OPEN, O_RDONLY),
  TRY ("handle", "a handle of a file that was never given out", "ESTALE EOPNOTSUPP", WRITABLE,
       OPEN_HANDLE, 0),
  TRY ("closed", "what neither the owner nor everybody may read", "EACCES", WRITABLE "/closed",
       OPEN, O_RDONLY),
  TRY ("theirs", "another user's file that everybody may write", "EACCES EPERM", WRITABLE "/theirs",
       OPEN, O_WRONLY),
  TRY ("theirs-mode", "another user's file, its mode", "EPERM EOVERFLOW", WRITABLE "/theirs",
       SET_MODE, 0777),
  TRY ("device", "a device of characters", "EPERM", WRITABLE "/d", MAKE_NODE, S_IFCHR | 0666),
  TRY ("disk", "a device of blocks", "EPERM", WRITABLE "/d", MAKE_NODE, S_IFBLK | 0666),
  TRY ("set-id", "set-user-ID on a file of one's own", "EPERM", WRITABLE "/mine", SET_MODE, 04755),
  TRY ("set-id-new", "set-group-ID on a new file", "EPERM", WRITABLE "/d", MAKE_NODE,
       S_IFREG | 02755),
  TRY ("give-away", "a file of one's own, given to the guest's root", "EPERM EOVERFLOW EINVAL",
       WRITABLE "/mine", GIVE_AWAY, 0),
  TRY ("capability", "capabilities on a file", "EPERM EOPNOTSUPP ENOSYS", WRITABLE "/mine",
       SET_ATTRIBUTE, 0),
  TRY ("read-only-write", "writing to a read-only bind", "EROFS", READ_ONLY "/mine", OPEN, O_RDWR),
  TRY ("read-only-create", "O_CREAT in a read-only bind", "EROFS", READ_ONLY "/x", OPEN,
       O_WRONLY | O_CREAT),
  TRY ("read-only-cut", "cutting a file of a read-only bind", "EROFS", READ_ONLY "/mine", CUT, 0),
  TRY ("read-only-remove", "removing from a read-only bind", "EROFS", READ_ONLY "/mine", REMOVE, 0),
  TRY ("read-only-times", "times of a file of a read-only bind", "EROFS", READ_ONLY "/mine",
       SET_TIMES, 0),
  TRY ("read-only-link", "a second name in a read-only bind, of the other's file", "EXDEV EROFS",
       READ_ONLY "/x", MAKE_LINK, 0),
  TRY ("read-only-move", "from one bind into a read-only one", "EXDEV EROFS", READ_ONLY "/x",
       MOVE_THERE, 0),
  { "share.another",
    "a share by another name",
    "R1.6",
    "EINVAL ENODEV",
    NULL,
    mount_another,
    { .path = "root" } },
};

DN_FAMILY (dn_share, probes);
