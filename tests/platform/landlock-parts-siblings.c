/* SPDX-License-Identifier: Apache-2.0 */
/* Two processes that confine themselves by the same Landlock ruleset are in two domains, and cannot
 * read each other's /proc/PID/environ, exe and fd, though nothing of that is in the ruleset; two
 * that inherit one domain can.  So the processes that `danchi exec` starts would have to come from
 * a process in the container's domain: docs/hardening.md says why there is none. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assume.h"

/* What a container's ruleset could refuse without a rule for any path. */
static bool
confine (void)
{
  const struct landlock_ruleset_attr attr
      = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK };
  int ruleset = (int) syscall (SYS_landlock_create_ruleset, &attr, sizeof attr, 0);

  return ruleset >= 0 && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && syscall (SYS_landlock_restrict_self, ruleset, 0) == 0;
}

/* The container's first process: says that it is ready, then waits for its end. */
static pid_t
start_first (bool confines_itself)
{
  int ready[2];
  char byte;
  pid_t child;

  ASSUME (pipe2 (ready, O_CLOEXEC) == 0, "a pipe can be made");
  child = fork ();
  if (child == 0)
    {
      if ((confines_itself && !confine ()) || write (ready[1], "", 1) != 1)
        _exit (1);
      for (;;)
        (void) pause ();
    }
  (void) close (ready[1]);
  ASSUME (child > 0 && read (ready[0], &byte, 1) == 1, "the first process is confined");
  (void) close (ready[0]);
  return child;
}

/* Opens /proc/@pid/@name, or where it is a link, what it names.  Returns: 0 or errno */
static int
look_at (pid_t pid, const char *name)
{
  char path[64];

  (void) snprintf (path, sizeof path, "/proc/%d/%s", (int) pid, name);
  return open (path, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : errno;
}

/* What a process that is started beside @first meets.  Returns: 0 or errno, 255 where it could not
 * be confined */
static int
look_from_beside (pid_t first, const char *name, bool confines_itself)
{
  int status = 0;
  pid_t child = fork ();

  if (child == 0)
    _exit (confines_itself && !confine () ? 255 : look_at (first, name));
  ASSUME (child > 0 && waitpid (child, &status, 0) == child && WIFEXITED (status),
          "a process can be started");
  return WEXITSTATUS (status);
}

static void
end (pid_t child)
{
  (void) kill (child, SIGKILL);
  (void) waitpid (child, NULL, 0);
}

/* Both processes as this one is, or each in a domain of its own. */
static void
try_files (bool confine_themselves, int expected, const char *where)
{
  static const char *const files[] = { "environ", "exe", "fd/0" };
  pid_t first = start_first (confine_themselves);

  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    {
      int seen = look_from_beside (first, files[i], confine_themselves);

      ASSUME (seen == expected, "%s: %s of the other: %s", where, files[i], strerror (seen));
    }
  ASSUME (look_from_beside (first, "status", confine_themselves) == 0, "%s: status is open", where);
  end (first);
}

int
main (void)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  const struct __user_cap_data_struct none[2] = { { 0 } };
  int null = open ("/dev/null", O_RDONLY);

  if (syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
    SKIP ("this kernel has no Landlock: %s", strerror (errno));
  ASSUME (null >= 0 && dup2 (null, STDIN_FILENO) == STDIN_FILENO, "stdin can be /dev/null");
  /* As in a container.  Root's CAP_PERFMON would open environ whatever Landlock says (since 6.15).
   */
  ASSUME (syscall (SYS_capset, &header, none) == 0, "capabilities can be dropped");
  try_files (false, 0, "without domains");
  try_files (true, EACCES, "a domain each");
  ASSUME (confine (), "a domain for both");
  try_files (false, 0, "one domain, inherited");
  return 0;
}
