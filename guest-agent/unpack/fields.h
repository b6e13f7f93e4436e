/* SPDX-License-Identifier: Apache-2.0 */
/* From an image's config to the fixed fields that the host takes.  Pure.
 *
 * The host never sees the config's JSON.  Types are strict; what would be a line of its own on a
 * terminal or in an environment (control characters) is refused by name, except in texts that are
 * only shown (labels, author, history, health check), where a blank takes its place.
 * Source: OCI image-spec, config.md; docker image spec v1.2.
 */
#pragma once

#include "manifest.h"

typedef void (*DnFieldFunc) (DnImageField field, const char *value, size_t size, void *data);

/**
 * dn_fields_collect:
 * @found: called for each value, in the order of the config; nothing can be taken back, so call
 *   dn_fields_collect() with a function that does nothing first where that matters
 */
bool dn_fields_collect (const DnManifest *manifest, DnFieldFunc found, void *data,
                        DnFailure *failure);
