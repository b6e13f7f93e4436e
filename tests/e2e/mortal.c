/* SPDX-License-Identifier: Apache-2.0 */
/* A death sentence for the agent: linked into a copy of it that only the chaos tests put into a
 * guest.  Some time after its start, at random within DN_MORTAL_SPAN_MS, the agent is killed.
 *
 * The production agent cannot be killed from a container, nor from the host short of killing the
 * guest; and it should have no hook for it.  So the test brings an agent that differs by this file.
 */
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define DN_MORTAL_SPAN_MS 12000

__attribute__ ((constructor)) static void
pass_sentence (void)
{
  uint32_t number = 0;
  struct timespec rest;
  pid_t agent = getpid ();

  if (getrandom (&number, sizeof number, 0) != sizeof number || fork () != 0)
    return;
  /* The agent waits for children of its own only; this one ends with it. */
  (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
  number %= DN_MORTAL_SPAN_MS;
  rest.tv_sec = number / 1000;
  rest.tv_nsec = (long) (number % 1000) * 1000000;
  while (nanosleep (&rest, &rest) != 0)
    ;
  (void) kill (agent, SIGKILL);
  _exit (0);
}
