/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdpass.h"
#include "answer.h"

typedef enum
{
  STEP_IDS,
  STEP_ROOT,
  STEP_REST,
  STEP_ACCESS,
} Step;

/* What the child says; with code 0 a descriptor comes with it. */
typedef struct
{
  Step step;
  int code;
} Word;

/* Not in every libc's headers. */
static const struct
{
  unsigned long type;
  const char *name;
} kernels_own[] = {
  { PROC_SUPER_MAGIC, "proc" },       { SYSFS_MAGIC, "sysfs" },
  { CGROUP_SUPER_MAGIC, "cgroup" },   { CGROUP2_SUPER_MAGIC, "cgroup2" },
  { DEBUGFS_MAGIC, "debugfs" },       { TRACEFS_MAGIC, "tracefs" },
  { SECURITYFS_MAGIC, "securityfs" }, { BPF_FS_MAGIC, "bpf" },
  { DEVPTS_SUPER_MAGIC, "devpts" },   { NSFS_MAGIC, "nsfs" },
  { PSTOREFS_MAGIC, "pstore" },       { EFIVARFS_MAGIC, "efivarfs" },
  { SELINUX_MAGIC, "selinuxfs" },     { BINFMTFS_MAGIC, "binfmt_misc" },
  { 0x19800202, "mqueue" },           { 0x62656570, "configfs" },
  { 0x65735543, "fusectl" },
};

static int
open_beneath (int directory, const char *path, uint64_t resolve)
{
  const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = resolve };
  int fd;

  /* EAGAIN: something was renamed meanwhile, and the kernel is not sure. */
  for (int tries = 0; tries < 32; tries++)
    {
      fd = (int) syscall (SYS_openat2, directory, path, &how, sizeof how);
      if (fd >= 0 || errno != EAGAIN)
        break;
    }
  return fd < 0 ? -errno : fd;
}

static int
check_access (int fd, const DnShareSource *source)
{
  struct stat status;
  int mode = R_OK | (source->is_writable ? W_OK : 0);

  if (fstat (fd, &status) < 0)
    return -errno;
  if (S_ISDIR (status.st_mode))
    mode |= X_OK;
  return syscall (SYS_faccessat2, fd, "", mode, AT_EMPTY_PATH | AT_EACCESS) < 0 ? -errno : 0;
}

/* In the child. */
static int
find (const DnShareSource *source, Step *step)
{
  int root, fd, r;

  *step = STEP_IDS;
  if (source->uid != 0
      && (setgroups (source->group_count, source->groups) < 0
          || setresgid (source->gid, source->gid, source->gid) < 0
          || setresuid (source->uid, source->uid, source->uid) < 0))
    return -errno;
  *step = STEP_ROOT;
  root = open_beneath (AT_FDCWD, source->root, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  if (root < 0)
    return root;
  *step = STEP_REST;
  fd = source->rest[0] == '\0'
           ? root
           : open_beneath (root, source->rest, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
  if (fd < 0)
    return fd;
  *step = STEP_ACCESS;
  r = source->uid != 0 ? check_access (fd, source) : 0;
  return r < 0 ? r : fd;
}

static _Noreturn void
find_for (const DnShareSource *source, int socket)
{
  Word word = { 0 };
  int fd = find (source, &word.step);
  DnFdList list = { .fds = { fd }, .count = fd < 0 ? 0 : 1 };

  word.code = fd < 0 ? -fd : 0;
  (void) dn_fdpass_send (socket, &word, sizeof word, &list);
  _exit (EXIT_SUCCESS);
}

static void
explain (const DnShareSource *source, const Word *word, DnShareAnswer *answer)
{
  const char *root = source->root;

  if (word->step == STEP_IDS)
    dn_share_refuse (answer, word->code, "the caller's ids cannot be taken: %s",
                     strerror (word->code));
  else if (word->step == STEP_ROOT && word->code == ELOOP)
    dn_share_refuse (answer, word->code,
                     "'%.200s', which the policy allows, is or goes through a symbolic link\n"
                     "name the directory that it leads to in the policy",
                     root);
  else if (word->step == STEP_REST && (word->code == EXDEV || word->code == ELOOP))
    dn_share_refuse (answer, word->code,
                     "a symbolic link leads out of '%.200s', which is what the policy allows\n"
                     "name the directory that it leads to",
                     root);
  else if (word->step == STEP_ACCESS && (word->code == EACCES || word->code == EROFS))
    dn_share_refuse (answer, word->code, "uid %u may not %s it", source->uid,
                     source->is_writable ? "write to" : "read");
  else if (word->code == EACCES)
    dn_share_refuse (answer, word->code, "uid %u may not go there", source->uid);
  else if (word->code == ENOENT || word->code == ENOTDIR)
    dn_share_refuse (answer, word->code, "is not there\nmake it first");
  else
    dn_share_refuse (answer, word->code, "%s", strerror (word->code));
}

static bool
is_mount (int fd)
{
  struct statx status;

  return statx (fd, "", AT_EMPTY_PATH, 0, &status) == 0
         && (status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0
         && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* What is neither a directory nor a regular file, by its kind, and what there is to do. */
static void
refuse_kind (mode_t mode, DnShareAnswer *answer)
{
  if (S_ISSOCK (mode))
    dn_share_refuse (answer, EINVAL,
                     "is a socket: nothing in a guest can connect to one of the host's\n"
                     "have what listens there listen on an address of the network");
  else if (S_ISBLK (mode) || S_ISCHR (mode))
    dn_share_refuse (answer, EINVAL, "is a device of the host's: no guest has one");
  else
    dn_share_refuse (answer, EINVAL, "is neither a directory nor a regular file");
}

static bool
is_fit (int fd, struct stat *ret_status, DnShareAnswer *answer)
{
  struct statfs system;

  if (fstat (fd, ret_status) < 0 || fstatfs (fd, &system) < 0)
    {
      dn_share_refuse (answer, errno, "%s", strerror (errno));
      return false;
    }
  if (!S_ISDIR (ret_status->st_mode) && !S_ISREG (ret_status->st_mode))
    {
      refuse_kind (ret_status->st_mode, answer);
      return false;
    }
  if ((unsigned long) system.f_type == HUGETLBFS_MAGIC)
    {
      dn_share_refuse (answer, EINVAL,
                       "is memory in huge pages (medium: HugePages), which are the host's\n"
                       "take medium: Memory, whose pages are the guest's");
      return false;
    }
  for (size_t i = 0; i < sizeof kernels_own / sizeof kernels_own[0]; i++)
    if ((unsigned long) system.f_type == kernels_own[i].type)
      {
        dn_share_refuse (answer, EINVAL, "is the kernel's own (%s)", kernels_own[i].name);
        return false;
      }
  answer->is_directory = S_ISDIR (ret_status->st_mode);
  answer->is_memory = (unsigned long) system.f_type == TMPFS_MAGIC && is_mount (fd);
  return true;
}

int
dn_share_source_open (const DnShareSource *source, struct stat *ret_status, DnShareAnswer *answer)
{
  Word word = { .step = STEP_IDS, .code = EPIPE };
  DnFdList list = DN_FD_LIST_INIT;
  int pair[2], fd;
  pid_t pid;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || (pid = fork ()) < 0)
    {
      dn_share_refuse (answer, errno, "%s", strerror (errno));
      return -1;
    }
  if (pid == 0)
    find_for (source, pair[1]);
  (void) close (pair[1]);
  if (dn_fdpass_receive (pair[0], &word, sizeof word, &list) != (ssize_t) sizeof word)
    word = (Word){ .step = STEP_IDS, .code = EPIPE };
  (void) close (pair[0]);
  (void) waitpid (pid, NULL, 0);
  if (word.code == 0 && list.count != 1)
    word.code = EPROTO;
  if (word.code != 0)
    {
      dn_fd_list_clear (&list);
      explain (source, &word, answer);
      return -1;
    }
  fd = list.fds[0];
  if (is_fit (fd, ret_status, answer))
    return fd;
  (void) close (fd);
  return -1;
}
