/* SPDX-License-Identifier: Apache-2.0 */
/* The process part of a config.json: what runs, as whom, with which limits and rights.
 *
 * Pure.  Source: OCI runtime-spec, config.md, "Process".
 */
#pragma once

#include "profile.h"
#include "spec.h"

/* Adds the member "process" to the object that is open in @builder.  DN_ERROR_CONFIG where the
 * image is to blame, DN_ERROR_USAGE where the user is. */
gboolean dn_spec_add_process (JsonBuilder *builder, const DnContainerOptions *options,
                              const DnImageConfig *image, const char *hostname,
                              const DnProfile *profile, GError **error);

/* Whom the container runs as: the user's wish, or else the image's. */
const char *dn_spec_user_text (const DnContainerOptions *options, const DnImageConfig *image);
