/* SPDX-License-Identifier: Apache-2.0 */
/* A guest of the simulator: this process stands for QEMU, its child is the real agent, which makes
 * real containers on this machine.
 *
 *   qemu-system-sim CONSOLE-SOCKET AGENT-SOCKET SECRET UID RUN-DIR CGROUP AGENT DISK...
 *
 * As QEMU it listens on the agent's socket, is connected to the console's, and has the guest's uid;
 * the agent dies with it.  Writes one byte to standard output when it stands.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISKS_MAX 8

enum
{
  ARG_CONSOLE = 1,
  ARG_AGENT_SOCKET,
  ARG_SECRET,
  ARG_UID,
  ARG_RUN_DIR,
  ARG_CGROUP,
  ARG_AGENT,
  ARG_DISKS,
};

static struct sockaddr_un
address_of (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  if (snprintf (address.sun_path, sizeof address.sun_path, "%s", path)
      >= (int) sizeof address.sun_path)
    errx (1, "socket '%s': too long", path);
  return address;
}

static int
listen_at (const char *path)
{
  struct sockaddr_un address = address_of (path);
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  (void) unlink (path);
  if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address) < 0 || listen (fd, 4) < 0)
    err (1, "socket '%s'", path);
  return fd;
}

static int
connect_to (const char *path)
{
  struct sockaddr_un address = address_of (path);
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    err (1, "socket '%s'", path);
  return fd;
}

static void
make_directory (const char *path)
{
  if (mkdir (path, 0755) < 0 && errno != EEXIST)
    err (1, "directory '%s'", path);
}

/* @console becomes what a guest's /dev/console is: milestones go that way. */
static _Noreturn void
become_agent (char **argv, int disks, int listener, int console)
{
  char number[16];
  char *words[16 + 2 * DISKS_MAX] = {
    argv[ARG_AGENT], "--test-socket",  number,      "--secret-file",   argv[ARG_SECRET],
    "--cgroup-root", argv[ARG_CGROUP], "--run-dir", argv[ARG_RUN_DIR], "--allow-missing-controllers"
  };
  int count = 10;

  (void) snprintf (number, sizeof number, "%d", listener);
  for (int i = 0; i < disks; i++)
    {
      words[count++] = "--disk";
      words[count++] = argv[ARG_DISKS + i];
    }
  (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (dup2 (console, STDERR_FILENO) < 0 || dup2 (console, STDOUT_FILENO) < 0)
    _exit (99);
  (void) close (console);
  (void) execv (argv[ARG_AGENT], words);
  _exit (98);
}

/* The capabilities stay, against what a change of uid does to them, so that our end is allowed to
 * end the agent, which is root's. */
static void
take_uid (uid_t uid)
{
  if (prctl (PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0 || setresgid (uid, uid, uid) < 0
      || setresuid (uid, uid, uid) < 0)
    err (1, "uid %u", uid);
}

int
main (int argc, char **argv)
{
  int listener, console, status = 0;
  pid_t agent;

  if (argc <= ARG_DISKS || argc > ARG_DISKS + DISKS_MAX)
    errx (2, "not enough arguments, or too many");
  make_directory (argv[ARG_RUN_DIR]);
  make_directory (argv[ARG_CGROUP]);
  listener = listen_at (argv[ARG_AGENT_SOCKET]);
  console = connect_to (argv[ARG_CONSOLE]);
  agent = fork ();
  if (agent < 0)
    err (1, "fork");
  if (agent == 0)
    become_agent (argv, argc - ARG_DISKS, listener, console);
  (void) close (listener);
  take_uid ((uid_t) strtoul (argv[ARG_UID], NULL, 10));
  if (write (STDOUT_FILENO, "", 1) != 1)
    err (1, "standard output");
  (void) close (STDOUT_FILENO);
  while (waitpid (agent, &status, 0) < 0 && errno == EINTR)
    continue;
  return WIFEXITED (status) ? WEXITSTATUS (status) : 1;
}
