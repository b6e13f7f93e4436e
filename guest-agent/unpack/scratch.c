/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"

#define MOUNT_POINT "/run/danchi-unpack"
/* Of the names' hash and the file system: nothing is drawn by lot. */
#define CONSTANT_UUID "64616e63-6869-4000-8000-000000000003"

static bool
make_file_system (const char *device, uint64_t files_limit, DnFailure *failure)
{
  char inodes[32];
  /* It lives for minutes: no journal, no reserved blocks, no second copies, tables made when they
   * are needed. */
  const char *const argv[]
      = { "mke2fs",
          "-q",
          "-F",
          "-t",
          "ext4",
          "-m",
          "0",
          "-I",
          "256",
          "-N",
          inodes,
          "-U",
          CONSTANT_UUID,
          "-O",
          "^has_journal,^resize_inode,sparse_super2",
          "-E",
          "nodiscard,lazy_itable_init=1,num_backup_sb=0,hash_seed=" CONSTANT_UUID,
          device,
          NULL };

  /* mke2fs rounds up by groups; 1024 are for what layers do not count (lost+found, parents). */
  (void) snprintf (inodes, sizeof inodes, "%llu", (unsigned long long) files_limit + 1024);
  return dn_program_run (argv, failure);
}

/* Whether it is the file system at the mount point already. */
static bool
is_mounted (const struct stat *device)
{
  struct stat status;

  return stat (MOUNT_POINT, &status) == 0 && status.st_dev == device->st_rdev;
}

static bool
mount_device (const char *device, uint64_t files_limit, DnFailure *failure)
{
  if (!make_file_system (device, files_limit, failure))
    return false;
  return ((mkdir (MOUNT_POINT, 0700) == 0 || errno == EEXIST)
          && mount (device, MOUNT_POINT, "ext4", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME,
                    "noinit_itable,nobarrier")
                 == 0)
         || dn_fail_errno (failure, "cannot mount the scratch disk");
}

int
dn_scratch_open (const char *path, uint64_t files_limit, DnFailure *failure)
{
  const char *directory = path;
  struct stat status;
  int fd;

  if (stat (path, &status) < 0)
    {
      (void) dn_fail_errno (failure, "cannot find the scratch disk");
      return -1;
    }
  if (S_ISBLK (status.st_mode))
    {
      directory = MOUNT_POINT;
      if (!is_mounted (&status) && !mount_device (path, files_limit, failure))
        return -1;
    }
  fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    (void) dn_fail_errno (failure, "cannot open the scratch directory");
  return fd;
}
