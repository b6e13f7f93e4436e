/* SPDX-License-Identifier: Apache-2.0 */
/* Takes out of modes what the guest may not leave on the host, so that programs which set it go on.
 *
 * A pod's root is in its share, and packages, archives and `chmod u+s` set bits there that mean
 * nothing in a container, whose processes have no_new_privs.  filter.h refuses those bits, as a
 * filter of system calls can refuse and not change; dpkg and tar end over that.  So here chmod
 * is made without them:
 *
 *     file        neither the set-user-ID nor the set-group-ID bit
 *     directory   the set-group-ID bit stays, which says whose group is that of new files
 *
 * The kernel drops the set-group-ID bit silently where the group is not one of the caller's, and
 * virtiofsd has not got the capability to set it on others' (CAP_FSETID, which would keep
 * set-user-ID bits over writes, too).  So the thread takes the directory's group meanwhile, as
 * virtiofsd itself does to make files.
 *
 * Source: chmod(2); trace of virtiofsd 7.2.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "thread.h"

#define SET_ID_BITS ((mode_t) (S_ISUID | S_ISGID))

/* By their names in libc, which its headers have attributes and redirections for. */
DN_PRELOAD_PUBLIC int dn_modes_fchmod (int fd, mode_t mode) __asm__("fchmod");
DN_PRELOAD_PUBLIC int dn_modes_fchmodat (int directory, const char *path, mode_t mode,
                                         int flags) __asm__("fchmodat");

/* The system call, which two functions of libc's make: @path is NULL for fchmod(2). */
static int
change (int fd, const char *path, mode_t mode)
{
  return (int) (path == NULL ? syscall (SYS_fchmod, fd, mode)
                             : syscall (SYS_fchmodat, fd, path, mode));
}

static int
change_as_group (int fd, const char *path, mode_t mode, gid_t gid)
{
  gid_t own = getegid ();
  /* One that is not a guest's own cannot be taken; then the kernel drops the bit. */
  int is_taken = dn_thread_take_group (gid) == 0;
  int result = change (fd, path, mode);

  if (is_taken && dn_thread_take_group (own) < 0)
    abort ();
  return result;
}

static int
change_without (int fd, const char *path, mode_t mode)
{
  struct stat status;

  if ((mode & SET_ID_BITS) == 0)
    return change (fd, path, mode);
  if ((path == NULL ? fstat (fd, &status) : fstatat (fd, path, &status, 0)) < 0)
    return -1;
  mode &= ~(mode_t) (S_ISDIR (status.st_mode) ? S_ISUID : SET_ID_BITS);
  return (mode & S_ISGID) != 0 ? change_as_group (fd, path, mode, status.st_gid)
                               : change (fd, path, mode);
}

int
dn_modes_fchmod (int fd, mode_t mode)
{
  return change_without (fd, NULL, mode);
}

/* virtiofsd's are names of descriptors in /proc, which lead where they lead. */
int
dn_modes_fchmodat (int directory, const char *path, mode_t mode, int flags)
{
  (void) flags;
  return change_without (directory, path, mode);
}
