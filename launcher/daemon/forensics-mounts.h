/* SPDX-License-Identifier: Apache-2.0 */
/* What a context's containers have of the host's that outlives them and is not copied: volumes and
 * host directories, for the manifest of its evidence. */
#pragma once

#include "container.h"

/**
 * dn_forensics_mounts:
 * @containers: (element-type DnContainer)
 *
 * Without locks.
 *
 * Returns: (transfer full): {"volumes": [...], "binds": [...]}: what `inspect` has of each, with
 *   `container` and `container_id`, and for a volume that is there the host's file, `disk`
 */
JsonObject *dn_forensics_mounts (GPtrArray *containers);
