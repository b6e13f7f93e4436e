/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of a live domain, by libvirt: an appendix of hypervisor.h, whose rules hold here (worker
 * threads, deadlines, errors).
 *
 * A host without cgroups for libvirt refuses the first two; the others are QEMU's and the guest's.
 * Source: libvirt.org/html/libvirt-libvirt-domain.html.
 */
#pragma once

#include "../limits/guest-limits.h"

/* @shares: as the host's cgroups have it: shares of version 1, a weight of version 2; @quota_us: of
 * %DN_GUEST_CPU_PERIOD_US, 0 for none */
gboolean dn_hypervisor_set_cpu (const char *name, guint64 shares, guint64 quota_us, GError **error);

gboolean dn_hypervisor_set_memory_limit (const char *name, guint64 bytes, GError **error);

/* Of all disks but the first. */
gboolean dn_hypervisor_set_io (const char *name, const DnGuestLimits *limits, GError **error);

/* Asks the guest, by its balloon, to keep to so much memory; at most what it was started with. */
gboolean dn_hypervisor_set_balloon (const char *name, guint64 bytes, GError **error);
