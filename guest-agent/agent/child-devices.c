/* SPDX-License-Identifier: Apache-2.0 */
/* /dev, the terminal, and the few files in /etc that are the container's rather than the image's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "autofd.h"
#include "child-mounts.h"
#include "child.h"
#include "path.h"
#include "sync.h"

/* The only devices a container has.  Bound from the guest's: a user namespace cannot make any. */
static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty" };

static const struct
{
  const char *name;
  const char *target;
} links[] = {
  { "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
  { "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" },
};

int
dn_child_fill_dev (int root, DnFault *fault)
{
  dn_autofd int dev = dn_path_open (root, "/dev", O_PATH | O_DIRECTORY, 0);

  if (dev < 0)
    return dn_fault_set (fault, -EIO, "fill /dev: %s", strerror (-dev));
  for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
    {
      char guest_path[32];
      dn_autofd int file = openat (dev, devices[i], O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      dn_autofd int target = openat (dev, devices[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);

      (void) snprintf (guest_path, sizeof guest_path, "/dev/%s", devices[i]);
      if (file < 0 || target < 0
          || dn_child_bind (AT_FDCWD, guest_path, target, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)
                 < 0)
        return dn_fault_set_errno (fault, "device '%s'", guest_path);
    }
  for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
    if (symlinkat (links[i].target, dev, links[i].name) < 0)
      return dn_fault_set_errno (fault, "link '/dev/%s'", links[i].name);
  return 0;
}

typedef struct
{
  const char *path;
  const char *text;
  size_t size;
  uint8_t kind; /* a DnCardFile: the agent writes it anew later; 0: it does not */
} File;

/* Writes one file and binds it, read-only, over the image's file of that path, if it has one, or if
 * the container needs it. */
static int
provide_file (DnChild *child, int directory, const char *directory_path, const File *wanted)
{
  const char *name = strrchr (wanted->path, '/') + 1;
  dn_autofd int target = child->plan->config->needs_files
                             ? dn_path_make (child->root_fd, wanted->path, false)
                             : dn_path_open (child->root_fd, wanted->path, O_PATH, 0);
  dn_autofd int file = -1;
  const DnSyncReport report = { .kind = DN_SYNC_FILE, .file = wanted->kind };
  struct stat status;
  char source[DN_PATH_BYTES + 1];

  if (target < 0 || fstat (target, &status) < 0 || !S_ISREG (status.st_mode))
    return 0;
  file = openat (directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0 || write (file, wanted->text, wanted->size) != (ssize_t) wanted->size)
    return -1;
  /* Opened before it is bound read-only, so it can be written where nobody in here can. */
  if (wanted->kind != 0 && child->plan->card != NULL
      && dn_sync_report (child->plan->sync_fd, &report, file) < 0)
    return -1;
  (void) snprintf (source, sizeof source, "%s/%s", directory_path, name);
  return dn_child_bind (AT_FDCWD, source, target,
                        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
                            | MOUNT_ATTR_NOEXEC);
}

int
dn_child_provide_files (DnChild *child, DnFault *fault)
{
  /* Room for what the largest files may become. */
  const char *const options[] = { "size=262144", "nr_inodes=16", "mode=755" };
  char directory_path[DN_PATH_BYTES - 64];
  char hostname[DN_HOSTNAME_BYTES + 1] = "";
  char hostname_file[sizeof hostname + 1];
  char hosts[1024];
  dn_autofd int made = dn_child_new_mount (
      "tmpfs", options, 3, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  dn_autofd int directory = -1;

  (void) snprintf (directory_path, sizeof directory_path, "%s/files", child->plan->run_dir);
  /* Attached in the old root, it is out of sight after pivot; the files bound from it stay. */
  if (made < 0 || move_mount (made, "", AT_FDCWD, directory_path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return dn_fault_set_errno (fault, "make room for /etc/hosts");
  directory = open (directory_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  (void) gethostname (hostname, sizeof hostname - 1);
  (void) snprintf (hostname_file, sizeof hostname_file, "%s\n", hostname);
  (void) snprintf (hosts, sizeof hosts,
                   "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
                   "127.0.0.1\t%s\n",
                   hostname);
  {
    /* No network, no name server; an image's own file would only make programs wait. */
    File files[] = { { "/etc/hostname", hostname_file, strlen (hostname_file), 0 },
                     { "/etc/hosts", hosts, strlen (hosts), DN_CARD_FILE_HOSTS },
                     { "/etc/resolv.conf", "# none\n", 7, DN_CARD_FILE_RESOLV_CONF } };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
      {
        const DnCard *card = child->plan->card;
        const DnCardFileText *given
            = card != NULL && files[i].kind != 0 ? &card->files[files[i].kind - 1] : NULL;

        if (given != NULL && given->text != NULL)
          {
            files[i].text = given->text;
            files[i].size = given->size;
          }
        if (provide_file (child, directory, directory_path, &files[i]) < 0)
          return dn_fault_set_errno (fault, "provide '%s'", files[i].path);
      }
  }
  return 0;
}

/* Makes the terminal /dev/console too, as programs expect of a container's first process. */
static int
bind_console (int terminal)
{
  dn_autofd int file = open ("/dev/console", O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  dn_autofd int target = open ("/dev/console", O_PATH | O_NOFOLLOW | O_CLOEXEC);

  if (file < 0 || target < 0)
    return -1;
  return dn_child_bind (terminal, "", target, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

int
dn_child_open_terminal (DnChild *child, DnFault *fault)
{
  const DnChildPlan *plan = child->plan;
  struct winsize size = { .ws_row = plan->rows, .ws_col = plan->columns };
  DnSyncReport report;
  struct statfs status;
  int unlock = 0;
  dn_autofd int master = -1;

  if (!plan->has_terminal)
    return 0;
  /* The container's own devpts: nothing in it is the guest's.  In an exec the container may have
   * prepared the path, hence the check of what was opened. */
  master = open ("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
  if (master < 0 || fstatfs (master, &status) < 0 || status.f_type != DEVPTS_SUPER_MAGIC)
    return dn_fault_set (fault, -EIO, "terminal: the container has no devpts at /dev/pts");
  if (ioctl (master, TIOCSPTLCK, &unlock) < 0
      || (child->terminal_fd = ioctl (master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
    return dn_fault_set_errno (fault, "terminal");
  if (size.ws_row != 0 && size.ws_col != 0)
    (void) ioctl (master, TIOCSWINSZ, &size);
  if (plan->config != NULL && bind_console (child->terminal_fd) < 0)
    return dn_fault_set_errno (fault, "terminal: /dev/console");
  memset (&report, 0, sizeof report);
  report.kind = DN_SYNC_TERMINAL;
  if (dn_sync_report (plan->sync_fd, &report, master) < 0)
    return dn_fault_set (fault, -EIO, "terminal: the agent does not take it");
  return 0;
}
