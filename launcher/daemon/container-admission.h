/* SPDX-License-Identifier: Apache-2.0 */
/* A container's profile, and whether context, host and image permit what it asks for: at its
 * making, and again at every start, since rules may have become narrower meanwhile.  The profile
 * itself is fixed when the container is made.
 *
 * The decision is dn_admission_decide()'s; this brings the facts to it.
 */
#pragma once

#include "../spec/admission.h"

#include "container.h"

/* Reads the profile that @options name, or the context's default.  Without the daemon's lock.
 * (transfer full): NULL with @error */
DnProfile *dn_container_read_profile (DnContext *context, const DnContainerOptions *options,
                                      GError **error);

/* @container has a context, an image and a profile; @request: who asks, or NULL where danchid
 * starts it itself; out as in dn_admission_decide().  Without the daemon's lock. */
gboolean dn_container_admit (DnContainer *container, const DnContainerOptions *options,
                             DnRequest *request, DnVerdict *ret_verdict, GError **error);

/* Whether this host takes @context: DN_ERROR_DENIED. Without the daemon's lock. */
gboolean dn_context_check_host (DnContext *context, GError **error);

/* {"name", "version", "sha256", "is_own"}. (transfer full) */
JsonObject *dn_container_profile_to_json (const DnContainer *container);

/* For events: "strict/1 9f86d081884c". (transfer full) */
char *dn_container_profile_words (const DnContainer *container);
