/* SPDX-License-Identifier: Apache-2.0 */
#include "id-map.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOREIGN_FIRST (DN_SHARE_FIRST_ID + DN_SHARE_FOREIGN_GROUPS)

static int
write_map (pid_t pid, const char *file, const char *text)
{
  char path[64];
  int fd, r = 0;

  (void) snprintf (path, sizeof path, "/proc/%d/%s", (int) pid, file);
  fd = open (path, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  if (write (fd, text, strlen (text)) != (ssize_t) strlen (text))
    r = -errno;
  (void) close (fd);
  return r;
}

int
dn_share_write_maps (pid_t pid, uid_t uid, gid_t gid)
{
  char text[DN_SHARE_MAP_BYTES];
  int r;

  (void) snprintf (text, sizeof text, "0 %u 1\n1 %u %u\n", uid, DN_SHARE_FIRST_ID + 1,
                   DN_SHARE_GUEST_IDS - 1);
  r = write_map (pid, "uid_map", text);
  (void) snprintf (text, sizeof text, "0 %u 1\n1 %u %u\n", gid, DN_SHARE_FIRST_ID + 1,
                   DN_SHARE_GUEST_IDS - 1 + DN_SHARE_FOREIGN_GROUP_COUNT);
  return r < 0 ? r : write_map (pid, "gid_map", text);
}

void
dn_share_group_map (const DnShareOwner *owner, char ret_text[DN_SHARE_MAP_BYTES])
{
  const gid_t own = owner->host_gid;
  int used = snprintf (ret_text, DN_SHARE_MAP_BYTES, "%u %u 1\n", own,
                       DN_SHARE_FIRST_ID + owner->guest_gid);
  gid_t below = own < DN_SHARE_FOREIGN_GROUP_COUNT ? own : DN_SHARE_FOREIGN_GROUP_COUNT;

  if (below > 0)
    used += snprintf (ret_text + used, DN_SHARE_MAP_BYTES - (size_t) used, "0 %u %u\n",
                      FOREIGN_FIRST, below);
  if (own + 1 < DN_SHARE_FOREIGN_GROUP_COUNT && own < DN_SHARE_FOREIGN_GROUP_COUNT)
    (void) snprintf (ret_text + used, DN_SHARE_MAP_BYTES - (size_t) used, "%u %u %u\n", own + 1,
                     FOREIGN_FIRST + own + 1, DN_SHARE_FOREIGN_GROUP_COUNT - own - 1);
}

static int
write_owner (pid_t pid, const void *data)
{
  const DnShareOwner *owner = data;
  char text[DN_SHARE_MAP_BYTES];
  int r;

  (void) snprintf (text, sizeof text, "%u %u 1\n", owner->host_uid,
                   DN_SHARE_FIRST_ID + owner->guest_uid);
  r = write_map (pid, "uid_map", text);
  dn_share_group_map (owner, text);
  return r < 0 ? r : write_map (pid, "gid_map", text);
}

static int
write_pod (pid_t pid, const void *data)
{
  const uid_t *first_id = data;
  char text[DN_SHARE_MAP_BYTES];
  int r;

  (void) snprintf (text, sizeof text, "0 %u %u\n", DN_SHARE_FIRST_ID + *first_id, DN_SHARE_POD_IDS);
  r = write_map (pid, "uid_map", text);
  return r < 0 ? r : write_map (pid, "gid_map", text);
}

static int
make_map (int (*write_maps) (pid_t pid, const void *data), const void *data)
{
  char path[64];
  int gate[2], fd, r;
  pid_t pid;

  if (pipe2 (gate, O_CLOEXEC) < 0)
    return -errno;
  /* It holds the namespace until there is a descriptor of it. */
  pid = (pid_t) syscall (SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0)
    {
      char byte;

      (void) close (gate[1]);
      (void) !read (gate[0], &byte, 1);
      _exit (EXIT_SUCCESS);
    }
  r = pid < 0 ? -errno : write_maps (pid, data);
  (void) snprintf (path, sizeof path, "/proc/%d/ns/user", (int) pid);
  fd = r < 0 ? r : open (path, O_RDONLY | O_CLOEXEC);
  if (r == 0 && fd < 0)
    fd = -errno;
  (void) close (gate[0]);
  (void) close (gate[1]);
  if (pid > 0)
    (void) waitpid (pid, NULL, 0);
  return fd;
}

int
dn_share_make_map (const DnShareOwner *owner)
{
  return make_map (write_owner, owner);
}

int
dn_share_make_pod_map (uid_t first_id)
{
  return make_map (write_pod, &first_id);
}
