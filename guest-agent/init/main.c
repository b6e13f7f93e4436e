/* SPDX-License-Identifier: Apache-2.0 */
/* Pid 1 of a guest, in two lives of one program:
 *
 *   as /init of the initramfs (only with a modular kernel; /modules/order tells): load the drivers,
 *   make the verified root out of /dev/vda, mount it, go there and execute /sbin/init;
 *
 *   as /sbin/init of the guest's root: mount the rest, narrow the kernel, start the agent, reap.
 *   The tuned kernel mounts the root itself and begins here.
 *
 * libc only, static, and no input but the kernel's command line, which names the root's hash: it
 * reads nothing that a container, an image or another process of the host wrote.
 * It never exits.  Any failure before the agent runs is one line on the console, then power-off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdnoreturn.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"
#include "modules.h"
#include "mounts.h"
#include "poweroff.h"
#include "settings.h"
#include "supervise.h"
#include "verity.h"

#define SECOND_LIFE "/sbin/init"

/* The kernel gives pid 1 the console on 0, 1 and 2, except where the root had no /dev/console. */
static void
ensure_console (void)
{
  int fd;

  if (fcntl (STDERR_FILENO, F_GETFD) >= 0)
    return;
  do
    fd = open ("/dev/console", O_RDWR | O_NOCTTY);
  while (fd >= 0 && fd < STDERR_FILENO);
}

static noreturn void
live_in_initramfs (void)
{
  static char *const argv[] = { SECOND_LIFE, NULL };
  static char *const environment[] = { NULL };

  dn_mounts_make_kernel ();
  ensure_console ();
  dn_console_milestone (DN_MILESTONE_KERNEL);
  dn_modules_load_all ();
  dn_console_milestone (DN_MILESTONE_DRIVERS);
  dn_verity_make_root ();
  dn_mounts_switch_root (DN_VERITY_ROOT_DEVICE);
  execve (SECOND_LIFE, argv, environment);
  dn_poweroff_failed ("run '" SECOND_LIFE "'", errno);
}

static noreturn void
live_in_root (void)
{
  /* After a first life /proc, /sys and /dev have moved here with it. */
  if (access ("/proc/self", F_OK) != 0)
    {
      dn_mounts_make_kernel ();
      ensure_console ();
      dn_console_milestone (DN_MILESTONE_KERNEL);
    }
  dn_console_milestone (DN_MILESTONE_ROOT);
  dn_mounts_make_system ();
  dn_settings_apply ();
  dn_settings_seal ();
  dn_console_milestone (DN_MILESTONE_SYSTEM);
  dn_supervise ();
}

int
main (int argc, char **argv)
{
  (void) argc;
  (void) argv;
  if (getpid () != 1)
    {
      dn_console_error ("this is a guest's pid 1, not a command", 0);
      return 2;
    }
  (void) umask (0022);
  if (access (DN_MODULES_ORDER, F_OK) == 0)
    live_in_initramfs ();
  live_in_root ();
}
