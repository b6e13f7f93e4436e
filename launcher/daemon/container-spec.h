/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI document a container was started with: STATE/containers/ID/spec.json, the promise that
 * verify holds the kernel to.
 */
#pragma once

#include "container.h"

/* Writes what the guest is about to get; durable when it returns. */
gboolean dn_container_spec_save (DnContainer *container, const char *text, GError **error);

/**
 * dn_container_spec_load:
 *
 * The document of the last start, with the resources of today's options: limits change while a
 * container runs.  DN_ERROR_FAILED where it is not the one whose hash was noted at the start.
 *
 * Returns: (transfer full): an object, or NULL with @error
 */
JsonNode *dn_container_spec_load (DnContainer *container, GError **error);
