/* SPDX-License-Identifier: Apache-2.0 */
/* The guest kernel's settings: what narrows it for every process that comes later.
 *
 * These are the outer of two walls: containers may not write /proc/sys at all.
 * Source: Documentation/admin-guide/sysctl, hardening notes beside each entry.
 */
#pragma once

/**
 * dn_settings_apply:
 *
 * Writes the settings, names the host and brings up the loopback interface.  A setting that this
 * kernel does not have is skipped: the tuned kernel lacks the feature behind it.  One that exists
 * and cannot be written ends the boot.
 *
 * Needs /proc.  Privilege: CAP_SYS_ADMIN, CAP_NET_ADMIN.  Does not return on failure.
 */
void dn_settings_apply (void);

/* Forbids loading code into the kernel until the next boot: after the last driver. */
void dn_settings_seal (void);
