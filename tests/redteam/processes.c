/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* Returns: what @file of the process of /proc/@number holds, in @text; false where nothing. */
static bool
read_of (const char *number, const char *file, char *text, size_t size)
{
  char path[300];
  ssize_t n = 0;
  int fd;

  (void) snprintf (path, sizeof path, "/proc/%s/%s", number, file);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0)
    {
      n = read (fd, text, size - 1);
      (void) close (fd);
    }
  return n > 0;
}

int
dn_process_find (const char *file, DnProcessFunc is_wanted, const void *data)
{
  DIR *directory = opendir ("/proc");
  struct dirent *entry;
  int seen = DN_SEEN_HIDDEN;

  while (directory != NULL && (entry = readdir (directory)) != NULL)
    {
      char text[DN_PROCESS_TEXT_BYTES] = "";

      if (isdigit ((unsigned char) entry->d_name[0])
          && read_of (entry->d_name, file, text, sizeof text)
          && is_wanted (atoi (entry->d_name), text, data))
        seen = 0;
    }
  if (directory != NULL)
    (void) closedir (directory);
  return seen;
}

int
dn_process_open_parent (void)
{
  return (int) syscall (SYS_pidfd_open, getppid (), 0);
}

void
dn_process_end (long child)
{
  if (child <= 0)
    return;
  (void) kill ((pid_t) child, SIGKILL);
  (void) waitpid ((pid_t) child, NULL, 0);
}
