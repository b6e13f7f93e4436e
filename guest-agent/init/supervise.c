/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console.h"
#include "poweroff.h"

static noreturn void
become_agent (void)
{
  static char *const argv[] = { DN_SUPERVISE_AGENT, NULL };
  static char *const environment[] = { "PATH=/sbin", "TMPDIR=/tmp", NULL };
  sigset_t none;
  int null;

  sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);
  (void) setsid ();
  null = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0)
    (void) dup2 (null, STDIN_FILENO);
  execve (DN_SUPERVISE_AGENT, argv, environment);
  dn_console_error ("run '" DN_SUPERVISE_AGENT "'", errno);
  _exit (127);
}

static void
say_how_it_ended (int status)
{
  char what[64];

  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return;
  if (WIFSIGNALED (status))
    (void) snprintf (what, sizeof what, "the agent was killed by signal %d", WTERMSIG (status));
  else
    (void) snprintf (what, sizeof what, "the agent ended with status %d", WEXITSTATUS (status));
  dn_console_error (what, 0);
}

/* Reaps all that has ended.  Returns when nothing more has, unless the agent was among it. */
static void
reap (pid_t agent)
{
  int status;
  pid_t pid;

  while ((pid = waitpid (-1, &status, WNOHANG)) > 0)
    if (pid == agent)
      {
        say_how_it_ended (status);
        dn_poweroff ();
      }
}

noreturn void
dn_supervise (void)
{
  sigset_t signals;
  pid_t agent;

  /* Blocked before the fork, so that no end of a child is missed.  Pid 1 gets no signal it has not
   * asked for, except from the kernel. */
  sigfillset (&signals);
  (void) sigprocmask (SIG_SETMASK, &signals, NULL);
  /* Ctrl-Alt-Del would reset the machine; with this it is a signal, and nobody listens. */
  (void) reboot (RB_DISABLE_CAD);

  agent = fork ();
  if (agent < 0)
    dn_poweroff_failed ("start the agent", errno);
  if (agent == 0)
    become_agent ();

  sigemptyset (&signals);
  sigaddset (&signals, SIGCHLD);
  sigaddset (&signals, SIGTERM);
  sigaddset (&signals, SIGPWR);
  for (;;)
    {
      int signal_number = sigwaitinfo (&signals, NULL);

      if (signal_number == SIGCHLD)
        reap (agent);
      else if (signal_number == SIGTERM || signal_number == SIGPWR)
        dn_poweroff ();
    }
}
