/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and files of the host's in a container: the part "binds"
 * (../daemon/container-part.h).
 *
 * A bind is found with its maker's rights, within what the context's policy names
 * (../spec/bind-policy.h), by danchi-share, which puts it into the guest's share under the number
 * of the container's slot and of the mount; the guest's agent mounts it from there when it has said
 * who the container's user is.  danchid opens none of it itself.
 */
#pragma once

#include "../daemon/container-part.h"

extern const DnContainerPart dn_binds_part;

/**
 * dn_binds_check:
 *
 * For a container that is being made by @request's caller and that the rules have let through:
 * whether its binds are there, and the caller may have them.  Fills its record.
 *
 * Returns: TRUE, or FALSE as dn_share_server_order()
 */
gboolean dn_binds_check (DnContainer *container, const DnRequest *request,
                         const DnContainerOptions *options, GError **error);

/* Whether a guest of the context can have binds: it may be given some. Under the daemon's lock. */
gboolean dn_binds_are_possible (const DnContext *context);
