/* SPDX-License-Identifier: Apache-2.0 */
#include "poweroff.h"

#include <signal.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "console.h"

noreturn void
dn_poweroff (void)
{
  dn_console_milestone (DN_MILESTONE_POWEROFF);

  /* Containers were ended by the agent.  What still runs now would only dirty more pages; pid 1 is
   * not among the receivers of kill (-1). */
  (void) kill (-1, SIGKILL);
  sync ();

  (void) reboot (RB_POWER_OFF);
  (void) reboot (RB_AUTOBOOT);
  for (;;)
    (void) pause ();
}

noreturn void
dn_poweroff_failed (const char *what, int error)
{
  dn_console_error (what, error);
  dn_poweroff ();
}
