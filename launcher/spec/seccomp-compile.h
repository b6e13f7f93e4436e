/* SPDX-License-Identifier: Apache-2.0 */
/* From a profile to one link of a filter chain, through libseccomp: the only file that has it
 * compile, and that translates its codes.
 *
 * Pure but for a memfd, since libseccomp 2.5 exports to descriptors only.
 * Source: seccomp_rule_add(3), seccomp_attr_set(3), seccomp_export_bpf(3).
 */
#pragma once

#include "seccomp-profile.h"

/**
 * dn_seccomp_profile_compile:
 *
 * Native architecture only; any other kills the process.
 *
 * Returns: (transfer full): struct sock_filter[], or NULL with DN_ERROR_CONFIG or DN_ERROR_FAILED
 */
GBytes *dn_seccomp_profile_compile (const DnSeccompProfile *profile, const char *what,
                                    GError **error);

/* The largest number that @profile names: what is above it is newer than the profile. */
guint32 dn_seccomp_profile_largest (const DnSeccompProfile *profile);
