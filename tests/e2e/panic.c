/* SPDX-License-Identifier: Apache-2.0 */
/* A guest whose kernel panics while a container runs: linked into a copy of the agent that only the
 * tests put into a guest.  Guest root asks the kernel to panic where memory runs out, and then
 * takes all of it; that works on every kernel, with SysRq or without.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES (4 * 1024 * 1024)
/* What the test's container runs. */
#define COMMAND "sleep\n"

static bool
runs (const char *pid)
{
  char path[300], command[32] = "";
  int fd;

  (void) snprintf (path, sizeof path, "/proc/%s/comm", pid);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read (fd, command, sizeof command - 1) < 0)
    command[0] = '\0';
  if (fd >= 0)
    (void) close (fd);
  return strcmp (command, COMMAND) == 0;
}

static bool
container_runs (void)
{
  DIR *all = opendir ("/proc");
  struct dirent *one;
  bool is_found = false;

  while (all != NULL && !is_found && (one = readdir (all)) != NULL)
    is_found = one->d_name[0] >= '1' && one->d_name[0] <= '9' && runs (one->d_name);
  if (all != NULL)
    (void) closedir (all);
  return is_found;
}

static void
take_everything (void)
{
  int fd = open ("/proc/sys/vm/panic_on_oom", O_WRONLY | O_CLOEXEC);
  char *piece;

  if (fd < 0 || write (fd, "2", 1) != 1)
    return;
  while ((piece = malloc (PIECE_BYTES)) != NULL)
    memset (piece, 1, PIECE_BYTES);
}

__attribute__ ((constructor)) static void
begin (void)
{
  if (fork () != 0)
    return;
  while (!container_runs ())
    (void) usleep (200 * 1000);
  /* So that the host has heard of it. */
  (void) sleep (2);
  take_everything ();
  _exit (0);
}
