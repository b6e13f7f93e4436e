/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has of its image's config beside the process: shown, and nothing is decided by
 * it.
 *
 * Pure.
 */
#pragma once

#include "../images/image.h"

/**
 * dn_container_image_labels:
 * @image: NULL when the store has it no more
 * @own: utf8 → utf8, or NULL: the container's, which win
 *
 * Returns: (transfer container): utf8 → utf8 of those two
 */
GHashTable *dn_container_image_labels (const DnImage *image, GHashTable *own);

/* Published ports are a network's; these are those that the image says it listens on. */
JsonObject *dn_container_image_to_json (const DnImage *image);
