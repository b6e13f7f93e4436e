/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a config.json: what the kernel shows of itself, private memory, and volumes.
 *
 * No path of the guest's or the host's can be named here: there is no bind mount.
 *
 * Pure.  Source: OCI runtime-spec, config.md, "Mounts".
 */
#pragma once

#include "mount-spec.h"
#include "profile.h"
#include "spec.h"

/* Adds the member "mounts" to the object that is open in @builder: the profile's, and the tmpfs and
 * volumes of @options, which replace the profile's of the same path.  Parents come before what lies
 * in them.  @volumes (NULL or a list) are the image's: each becomes a tmpfs with what the image has
 * there, unless the container or its profile has something at the same path. */
gboolean dn_spec_add_mounts (JsonBuilder *builder, const DnContainerOptions *options,
                             char **volumes, const DnProfile *profile, GError **error);

/* Adds the place of a bind to @mounts, those of a config.json: what is mounted there, and with
 * which owners, the agent is told apart (../binds/binds.h). */
void dn_spec_add_share (JsonArray *mounts, const DnMountSpec *spec, gboolean is_directory);
