/* SPDX-License-Identifier: Apache-2.0 */
/* Filters as the kernel takes them: classic BPF over struct seccomp_data.
 *
 * A container's filter is a chain.  First the head, which no profile can take back:
 *
 *   another architecture, x32 included     SECCOMP_RET_KILL_PROCESS
 *   a number above @largest, or -1         ENOSYS
 *   ioctl TIOCSTI, TIOCLINUX               EPERM
 *
 * then the default profile, then the user's profile where there is one.  A link hands on only what
 * it permits, so a profile can take rights away and never add one.
 *
 * ENOSYS, because C libraries try new calls first and fall back only when told that the kernel has
 * none; EPERM would break programs that are newer than the profile.  The two ioctls are compared
 * in the lower half of the register, as the kernel does: a rule on all 64 bits is passed by with a
 * dirty upper half.
 *
 * The head uses only what the kernel can work out ahead (6.1: seccomp_is_const_allow()), so calls
 * that are permitted whatever their arguments cost one look into a bitmap.
 *
 * Pure.
 * Source: seccomp(2); Documentation/userspace-api/seccomp_filter.rst.
 */
#pragma once

#include <glib.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/* The head for a default profile whose largest call number is @largest.  (transfer full) */
GBytes *dn_seccomp_filter_head (guint32 largest);

/**
 * dn_seccomp_filter_chain:
 * @first: its SECCOMP_RET_ALLOWs become jumps to @second
 *
 * What @first refuses is refused as it says; of the rest @second decides.
 *
 * Returns: (transfer full): NULL with DN_ERROR_CONFIG when the two are too long for the kernel
 *   (BPF_MAXINSNS)
 */
GBytes *dn_seccomp_filter_chain (GBytes *first, GBytes *second, GError **error);

/**
 * dn_seccomp_filter_run:
 * @ret_action: (out): what the kernel would be told: SECCOMP_RET_*
 *
 * Answers @call with @filter, here and now.  FALSE when @filter is no filter: unknown
 * instructions, jumps or loads out of bounds, no end.
 */
gboolean dn_seccomp_filter_run (GBytes *filter, const struct seccomp_data *call,
                                guint32 *ret_action);
