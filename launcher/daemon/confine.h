/* SPDX-License-Identifier: Apache-2.0 */
/* What danchid gives up at its start, for itself and for every process it will ever start.
 *
 * Theory.  danchid is root because libvirt's system driver, files of many uids and the making of a
 * relay need it; it cannot become harmless.  But it reads what callers send, so a mistake in it
 * shall not be worth all of root:
 *
 *   limits         no core file: the boots' secrets are in memory
 *   capabilities   nine of forty-one, each with its reason in confine.c; no raw disks, modules,
 *                  networks, clocks, other programs' memory limits, logs, boot
 *   no_new_privs   set-user-ID programs and file capabilities give nothing to it or its children
 *   filter         the system calls that danchid, the relay until its own lockdown, and QEMU as the
 *                  probe for KVM starts it make (confine-filter.c); others are ENOSYS.  Sockets are
 *                  AF_UNIX or AF_VSOCK; no memory is writable and executable at once.
 *
 * What is left is still much (CAP_SYS_ADMIN among it): the filter takes away what it is most used
 * for besides mounts.  Two walls of the same kind come from outside, where the host has them:
 * the sandbox of danchid.service and the AppArmor profile.
 *
 * QEMU is no child of danchid's but of libvirtd's: nothing here reaches it.
 *
 * Source: capabilities(7), prctl(2), seccomp(2), seccomp_rule_add(3).
 */
#pragma once

#include <glib.h>

/**
 * dn_confine_run:
 *
 * Call it once, while there is one thread: the others inherit all of it.  As an ordinary user the
 * capabilities are left as they are, there being none.  The result is read back from the kernel.
 * After a failure the process must exit.
 *
 * Privilege: CAP_SETPCAP, for root.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_LOCKDOWN
 */
gboolean dn_confine_run (GError **error);

/* The capabilities that root's danchid keeps, as the bits of /proc/PID/status. */
guint64 dn_confine_capabilities (void);

/* Loads the filter alone.  Needs no_new_privs.  Returns 0 or -errno. */
int dn_confine_load_filter (void);
