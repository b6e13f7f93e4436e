/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_FIRST_MS 500
#define PAUSE_MOST_MS 30000
/* One that ran for this long begins with the short pauses again. */
#define STEADY_US (60 * G_TIME_SPAN_SECOND)

static _Noreturn void
become (const DnChild *child, pid_t parent)
{
  if (prctl (PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0 || getppid () != parent)
    _exit (EXIT_FAILURE);
  (void) signal (SIGTERM, SIG_DFL);
  /* pasta of 2023 takes an ignored one for an error of its own call. */
  (void) signal (SIGPIPE, SIG_DFL);
  (void) execvp (child->words[0], child->words);
  g_printerr ("danchi-session: '%s': %s\n", child->name, g_strerror (errno));
  _exit (EXIT_FAILURE);
}

void
dn_child_keep (DnChild *child)
{
  gint64 now_us = g_get_monotonic_time ();
  pid_t parent = getpid ();

  if (child->pid > 0 && waitpid (child->pid, NULL, WNOHANG) == child->pid)
    {
      child->pid = 0;
      if (now_us - child->started_us > STEADY_US || child->pause_ms == 0)
        child->pause_ms = PAUSE_FIRST_MS;
      child->next_us = now_us + child->pause_ms * G_TIME_SPAN_MILLISECOND;
      child->pause_ms = MIN (2 * child->pause_ms, PAUSE_MOST_MS);
    }
  if (child->pid > 0 || now_us < child->next_us)
    return;
  child->started_us = now_us;
  child->pid = fork ();
  if (child->pid == 0)
    become (child, parent);
  if (child->pid < 0)
    child->pid = 0;
}

void
dn_child_end (DnChild *child)
{
  if (child->pid > 0)
    (void) kill (child->pid, SIGTERM);
}
