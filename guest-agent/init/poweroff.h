/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the guest: the only way out of init.
 *
 * Pid 1 must not exit: the kernel would panic, and a panic looks like a crash to the host.
 */
#pragma once

#include <stdnoreturn.h>

/**
 * dn_poweroff:
 *
 * Ends every other process, writes dirty pages and switches the machine off; milestone POWEROFF
 * comes first.  If the firmware does not switch off, asks for a reset, which the host treats as the
 * end as well.
 *
 * Privilege: CAP_KILL, CAP_SYS_BOOT.  Source: reboot(2).
 */
noreturn void dn_poweroff (void);

/* Writes the line of dn_console_error(), then as dn_poweroff(). */
noreturn void dn_poweroff_failed (const char *what, int error);
