/* SPDX-License-Identifier: Apache-2.0 */
/* A container's profile, and whether its context permits what it asks for: at its making, and again
 * at every start, since a policy may have become narrower meanwhile.  The profile itself is fixed
 * when the container is made.
 *
 * The decision is dn_admission_decide()'s; this brings files and policy to it.
 */
#pragma once

#include "container.h"

/* Reads the profile that @options name, or the context's default.  Without the daemon's lock.
 * (transfer full): NULL with @error */
DnProfile *dn_container_read_profile (DnContext *context, const DnContainerOptions *options,
                                      GError **error);

/* @container has a context and a profile; out as in dn_admission_decide().  Without the daemon's
 * lock.  DN_ERROR_DENIED, or DN_ERROR_CONFIG where the context's file is wrong. */
gboolean dn_container_admit (DnContainer *container, const DnContainerOptions *options,
                             int *ret_seccomp, char ***ret_relaxations, GError **error);

/* {"name", "version", "sha256", "is_own"}. (transfer full) */
JsonObject *dn_container_profile_to_json (const DnContainer *container);

/* For events: "strict/1 9f86d081884c". (transfer full) */
char *dn_container_profile_words (const DnContainer *container);
