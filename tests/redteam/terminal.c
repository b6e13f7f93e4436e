/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals: putting characters where another reads them.  All on a pair of the attempt's own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/tiocl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "probe.h"

/* aim.a: the command, aim.b: the first byte of its argument. */
static int
ask_terminal (const DnAim *aim)
{
  long word = aim->b;
  int leader = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
  int follower;

  if (leader < 0)
    return DN_SEEN_UNKNOWN;
  (void) grantpt (leader);
  (void) unlockpt (leader);
  follower = ioctl (leader, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (follower < 0)
    return DN_SEEN_UNKNOWN;
  (void) setsid ();
  (void) ioctl (follower, TIOCSCTTY, 0);
  return dn_seen (syscall (SYS_ioctl, follower, aim->a, &word));
}

#define DIRTY (1L << 32)

static const DnProbe probes[] = {
  { "terminal.tiocsti",
    "TIOCSTI: typing for another (CVE-2017-5226)",
    "R3.6",
    "EPERM EIO",
    NULL,
    ask_terminal,
    { .a = TIOCSTI, .b = 'x' } },
  { "terminal.tiocsti-dirty",
    "TIOCSTI with a dirty upper half (CVE-2019-7303)",
    "R3.6",
    "EPERM EIO",
    NULL,
    ask_terminal,
    { .a = TIOCSTI | DIRTY, .b = 'x' } },
  { "terminal.tioclinux",
    "TIOCLINUX: pasting for another (CVE-2023-28100)",
    "R3.6",
    "EPERM",
    NULL,
    ask_terminal,
    { .a = TIOCLINUX, .b = TIOCL_GETSHIFTSTATE } },
  { "terminal.tioclinux-dirty",
    "TIOCLINUX with a dirty upper half",
    "R3.6",
    "EPERM",
    NULL,
    ask_terminal,
    { .a = TIOCLINUX | DIRTY, .b = TIOCL_GETSHIFTSTATE } },
  { "terminal.tioccons",
    "TIOCCONS: the console's output",
    "R3.5",
    "EPERM",
    NULL,
    ask_terminal,
    { .a = TIOCCONS } },
  { "terminal.ldisc-gsm",
    "a line discipline, by TIOCSETD (CVE-2023-6546)",
    "R2.2",
    "EPERM EINVAL",
    NULL,
    ask_terminal,
    { .a = TIOCSETD, .b = 21 } },
  { "terminal.ldisc-hdlc",
    "a line discipline, by TIOCSETD (CVE-2017-2636)",
    "R2.2",
    "EPERM EINVAL",
    NULL,
    ask_terminal,
    { .a = TIOCSETD, .b = 13 } },
};

DN_FAMILY (dn_terminal, probes);
