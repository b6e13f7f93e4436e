/* SPDX-License-Identifier: Apache-2.0 */
/* Makes files where the guest's kernel has found that its caller may.
 *
 * FUSE tells who makes a file, and not in which groups he is: virtiofsd becomes that user with that
 * one group, and the host's kernel refuses him a directory that is his by another group, as a
 * volume of an fsGroup is; and refuses the pod's root a directory of somebody else's.  Both were
 * allowed by the guest's kernel, which knows (FUSE's default_permissions).  So what is refused for
 * want of permission is asked for once more with the capability to pass over permissions, as
 * virtiofsd does all else: the file is still the user's.
 *
 * Nothing is a guest's by that which was not: whom it says a caller to be is its own choice.  What
 * it can reach are the mounts of its share, each of which translates the pod's ids and no others
 * (id-map.h).
 *
 * Modes are without the bits that modes.c leaves out.
 *
 * Source: trace of virtiofsd 7.2; the kernel's FUSE_CREATE_SUPP_GROUP, which that one does not
 * know.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "thread.h"

#define PLAIN(mode) ((mode) & ~(mode_t) (S_ISUID | S_ISGID))

/* By their names in libc, which its headers have attributes and redirections for. */
DN_PRELOAD_PUBLIC int dn_creation_mkdirat (int directory, const char *path,
                                           mode_t mode) __asm__("mkdirat");
DN_PRELOAD_PUBLIC int dn_creation_mknodat (int directory, const char *path, mode_t mode,
                                           dev_t device) __asm__("mknodat");
DN_PRELOAD_PUBLIC int dn_creation_mkfifoat (int directory, const char *path,
                                            mode_t mode) __asm__("mkfifoat");
DN_PRELOAD_PUBLIC int dn_creation_symlinkat (const char *to, int directory,
                                             const char *path) __asm__("symlinkat");
DN_PRELOAD_PUBLIC int dn_creation_openat (int directory, const char *path, int flags,
                                          ...) __asm__("openat");
DN_PRELOAD_PUBLIC int dn_creation_openat64 (int directory, const char *path, int flags,
                                            ...) __asm__("openat64");

/* A system call with up to four arguments. */
static int
call (const long arguments[5])
{
  DnThreadRights before;
  int result = (int) syscall (arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);

  if (result >= 0 || errno != EACCES)
    return result;
  if (!dn_thread_take_right (&before))
    {
      errno = EACCES;
      return -1;
    }
  result = (int) syscall (arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
  dn_thread_put_back (&before);
  return result;
}

/* A new directory has the set-group-ID bit from the one that it is in. */
int
dn_creation_mkdirat (int directory, const char *path, mode_t mode)
{
  return call ((const long[5]){ SYS_mkdirat, directory, (long) path, (long) PLAIN (mode) });
}

int
dn_creation_mknodat (int directory, const char *path, mode_t mode, dev_t device)
{
  return call (
      (const long[5]){ SYS_mknodat, directory, (long) path, (long) PLAIN (mode), (long) device });
}

int
dn_creation_mkfifoat (int directory, const char *path, mode_t mode)
{
  return dn_creation_mknodat (directory, path, mode | S_IFIFO, 0);
}

int
dn_creation_symlinkat (const char *to, int directory, const char *path)
{
  return call ((const long[5]){ SYS_symlinkat, (long) to, directory, (long) path });
}

static int
open_at (int directory, const char *path, int flags, va_list arguments)
{
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg (arguments, mode_t) : 0;

  if ((flags & O_CREAT) == 0)
    return (int) syscall (SYS_openat, directory, path, flags, 0);
  return call ((const long[5]){ SYS_openat, directory, (long) path, flags, (long) PLAIN (mode) });
}

int
dn_creation_openat (int directory, const char *path, int flags, ...)
{
  va_list arguments;
  int fd;

  va_start (arguments, flags);
  fd = open_at (directory, path, flags, arguments);
  va_end (arguments);
  return fd;
}

int
dn_creation_openat64 (int directory, const char *path, int flags, ...)
{
  va_list arguments;
  int fd;

  va_start (arguments, flags);
  fd = open_at (directory, path, flags, arguments);
  va_end (arguments);
  return fd;
}
