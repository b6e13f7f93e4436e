/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a config.json: what the kernel shows of itself, and private memory.
 *
 * No path of the guest's or the host's can be named here: there is no bind mount.
 *
 * Pure.  Source: OCI runtime-spec, config.md, "Mounts".
 */
#pragma once

#include "profile.h"
#include "spec.h"

/* Adds the member "mounts" to the object that is open in @builder: the profile's, and @tmpfs
 * (NULL or a list as of --tmpfs), which replace the profile's of the same path.  Parents come
 * before what lies in them. */
gboolean dn_spec_add_mounts (JsonBuilder *builder, char **tmpfs, const DnProfile *profile,
                             GError **error);
