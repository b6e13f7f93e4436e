/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel as a whole: its modules, successor, end, clock and name.  Every value set is the one
 * that is there already. */
#include <errno.h>
#include <linux/reboot.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

/* What Ctrl-Alt-Del does; it restarts nothing.  In a pid namespace of one's own it is EINVAL: the
 * call went through. */
static int
reboot_key (const DnAim *aim)
{
  (void) aim;
  return dn_seen (reboot (RB_DISABLE_CAD));
}

static int
set_clock (const DnAim *aim)
{
  struct timespec now;

  if (clock_gettime ((clockid_t) aim->a, &now) < 0)
    return DN_SEEN_UNKNOWN;
  return dn_seen (clock_settime ((clockid_t) aim->a, &now));
}

static int
set_time_of_day (const DnAim *aim)
{
  struct timeval now;

  (void) aim;
  (void) gettimeofday (&now, NULL);
  return dn_seen (settimeofday (&now, NULL));
}

/* aim.a: 0 adjtimex, 1 clock_adjtime; the tick stays what it is. */
static int
adjust_clock (const DnAim *aim)
{
  struct timex timex = { .modes = ADJ_TICK, .tick = 10000 };

  return dn_seen (aim->a == 0 ? adjtimex (&timex) : clock_adjtime (CLOCK_REALTIME, &timex));
}

static int
set_name (const DnAim *aim)
{
  struct utsname names;

  (void) uname (&names);
  return dn_seen (aim->a == 0 ? sethostname (names.nodename, strlen (names.nodename))
                              : setdomainname (names.domainname, strlen (names.domainname)));
}

#define CALL(id, technique, number, argument)                                                      \
  {                                                                                                \
    "kernel." id, technique, "R3.6", "EPERM", NULL, dn_attempt_call,                               \
    {                                                                                              \
      .a = number, .b = argument                                                                   \
    }                                                                                              \
  }

static const DnProbe probes[] = {
  CALL ("init-module", "init_module: code into the kernel", SYS_init_module, 0),
  CALL ("finit-module", "finit_module", SYS_finit_module, -1),
  CALL ("delete-module", "delete_module", SYS_delete_module, 0),
  CALL ("kexec", "kexec_load: another kernel", SYS_kexec_load, -1),
  CALL ("kexec-file", "kexec_file_load", SYS_kexec_file_load, -1),
  CALL ("acct", "acct: a file that the kernel writes", SYS_acct, -1),
  CALL ("vhangup", "vhangup", SYS_vhangup, 0),
  CALL ("swapoff", "swapoff", SYS_swapoff, 0),
  { "kernel.reboot", "reboot", "R3.6", "EPERM", NULL, reboot_key, { 0 } },
  { "kernel.clock",
    "clock_settime: time travel, for certificates and logs",
    "R3.5",
    "EPERM",
    NULL,
    set_clock,
    { .a = CLOCK_REALTIME } },
  { "kernel.time-of-day", "settimeofday", "R3.5", "EPERM", NULL, set_time_of_day, { 0 } },
  { "kernel.adjtimex",
    "adjtimex: a clock that runs wrong",
    "R3.5",
    "EPERM",
    NULL,
    adjust_clock,
    { .a = 0 } },
  { "kernel.clock-adjtime", "clock_adjtime", "R3.5", "EPERM", NULL, adjust_clock, { .a = 1 } },
  { "kernel.hostname", "sethostname", "R3.5", "EPERM", NULL, set_name, { .a = 0 } },
  { "kernel.domainname", "setdomainname", "R3.5", "EPERM", NULL, set_name, { .a = 1 } },
};

DN_FAMILY (dn_kernel, probes);
