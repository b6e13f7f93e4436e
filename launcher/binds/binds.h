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
#include "../verify/facts.h"

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

/* The container's mounts of type bind, in the order of their numbers. (transfer full) (element-type
 * DnMountSpec): or NULL with DN_ERROR_USAGE */
GPtrArray *dn_binds_list (const DnContainerOptions *options, GError **error);

/* The name in its guest's share of bind @index of the container in @slot. */
guint dn_binds_number (guint slot, guint index);

/* For danchi verify: what is to be in the share of the context's guest, and what a virtiofsd's
 * mountinfo(5) says is in it; both as "0 ro,noexec,...; 1 rw,...", or "none". (transfer full) */
char *dn_binds_promised (DnContext *context);
char *dn_binds_observed (const char *mountinfo);

/* "share.root" and "share.binds" of a virtiofsd. */
void dn_binds_add_facts (DnVerifyFacts *facts, gint pid);

/* Whether a guest of the context can have binds: it may be given some. Under the daemon's lock. */
gboolean dn_binds_are_possible (const DnContext *context);
