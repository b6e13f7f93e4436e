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
 * before what lies in them.  @volumes (NULL or a list) are the image's: each becomes a tmpfs with
 * what the image has there, unless the container or its profile has one at the same path. */
gboolean dn_spec_add_mounts (JsonBuilder *builder, char **tmpfs, char **volumes,
                             const DnProfile *profile, GError **error);
