/* SPDX-License-Identifier: Apache-2.0 */
#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "process-facts.h"

#define GROUPS "/sys/fs/cgroup"
#define TEXT_BYTES 8192
#define PATH_BYTES 4352

/* "/machine/qemu-1-danchi-ab.libvirt-qemu", "/machine.slice/machine-qemu\x2d1...scope/libvirt":
 * whoever shares a group above has no part in these. */
static bool
is_machines (const char *path)
{
  return strstr (path, "/qemu-") != NULL || strstr (path, "/machine-qemu") != NULL;
}

int
dn_share_group_path (const char *line, bool is_unified, char *ret_path, size_t size)
{
  const char *controllers = strchr (line, ':');
  const char *path = controllers != NULL ? strchr (controllers + 1, ':') : NULL;
  int length, written;

  if (path == NULL || path[1] != '/' || strstr (path, "/..") != NULL)
    return -EINVAL;
  controllers++;
  length = (int) (path - controllers);
  if (!is_machines (path + 1) || (length == 0) != is_unified
      || strncmp (controllers, "name=", 5) == 0)
    return -ENOENT;
  if (memchr (controllers, '/', (size_t) length) != NULL)
    return -EINVAL;
  written = is_unified ? snprintf (ret_path, size, GROUPS "%s/cgroup.procs", path + 1)
                       : snprintf (ret_path, size, GROUPS "/%.*s%s/cgroup.procs", length,
                                   controllers, path + 1);
  return written > 0 && (size_t) written < size ? 0 : -EINVAL;
}

static int
read_groups (pid_t pid, char ret_text[TEXT_BYTES])
{
  char path[64];
  ssize_t n;
  int fd, r;

  (void) snprintf (path, sizeof path, "/proc/%d/cgroup", (int) pid);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -ESRCH;
  n = read (fd, ret_text, TEXT_BYTES - 1);
  r = n < 0 ? -errno : n == TEXT_BYTES - 1 ? -E2BIG : 0;
  (void) close (fd);
  ret_text[n > 0 ? n : 0] = '\0';
  return r;
}

static int
join_one (const char *path, pid_t pid)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  char text[16];
  int length = snprintf (text, sizeof text, "%d", (int) pid), r = 0;

  if (fd < 0)
    return -errno;
  if (write (fd, text, (size_t) length) != length)
    r = -errno;
  (void) close (fd);
  return r;
}

/* Each of QEMU's own groups; @is_done: whether the process is there, in place of putting it there.
 * Returns: how many, or -errno */
static int
each_group (const DnShareOrder *order, const char *theirs, const char *its)
{
  bool is_unified = access (GROUPS "/cgroup.controllers", F_OK) == 0;
  char line[PATH_BYTES], path[PATH_BYTES];
  int count = 0, r;

  for (const char *at = theirs; *at != '\0'; at += strcspn (at, "\n"))
    {
      at += *at == '\n';
      (void) snprintf (line, sizeof line, "%.*s", (int) strcspn (at, "\n"), at);
      if (dn_share_group_path (line, is_unified, path, sizeof path) < 0)
        continue;
      r = its == NULL                  ? join_one (path, order->process.pid)
          : strstr (its, line) != NULL ? 0
                                       : -EPERM;
      if (r < 0)
        return r;
      count++;
    }
  return count;
}

static bool
are_those (const DnShareOrder *order)
{
  return dn_share_process_ticks (order->process.pid) == order->process.ticks
         && dn_share_process_ticks (order->qemu.pid) == order->qemu.ticks;
}

void
dn_share_group_join (const DnShareOrder *order, DnShareAnswer *answer)
{
  static char theirs[TEXT_BYTES], its[TEXT_BYTES];
  int r = read_groups (order->qemu.pid, theirs);

  if (r == 0 && !are_those (order))
    r = -ESRCH;
  if (r == 0)
    r = each_group (order, theirs, NULL);
  if (r == 0)
    r = -ENOENT;
  /* What the kernel says now, of the one that was meant. */
  if (r > 0)
    r = read_groups (order->process.pid, its);
  if (r == 0)
    r = each_group (order, theirs, its);
  if (r > 0 && !are_those (order))
    r = -ESRCH;
  if (r == -ENOENT)
    dn_share_refuse (answer, ENOENT, "QEMU has no control group of its own");
  else if (r < 0)
    dn_share_refuse (answer, -r, "QEMU's control groups: %s", strerror (-r));
}
