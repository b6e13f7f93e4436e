/* SPDX-License-Identifier: Apache-2.0 */
/* The pace of this host's time stamp counter, which is an emulated guest's, too.
 *
 * A guest's kernel finds that pace out by an emulated timer.  Where many guests start at once on
 * few processors, QEMU is not there when the timer ends, and the kernel believes in a counter that
 * is far slower than it is: its time then went up to 25 times too fast (20 guests on 2 processors),
 * and every limit of time within was over before its time.  So it is told: "tsc_early_khz".  Under
 * KVM guests have it from the processor and kvm-clock.
 *
 * Source: the kernel's Documentation/admin-guide/kernel-parameters.txt; rdtsc; QEMU's
 * cpu_get_host_ticks().
 */
#pragma once

#include <glib.h>

/* In kHz, measured once in 20 ms; 0: it could not be told. */
guint dn_host_clock_khz (void);
