/* SPDX-License-Identifier: Apache-2.0 */
/* The part `publish` of a container: ports of the host that lead to it.
 *
 * They are bound in prepare(), before anything is started, so that one that somebody else has is an
 * error then; they are handed to the guest's danchi-publish when the container has its card, and
 * are closed when it leaves.  A client that comes in between waits.
 */
#pragma once

#include "../daemon/container-part.h"

extern const DnContainerPart dn_container_publish_part;

/* What is asked for: --publish, and with --publish-all what else is exposed, at host ports that are
 * to be chosen. (transfer full) (element-type DnPort): or NULL with DN_ERROR_USAGE, _LIMIT */
GArray *dn_container_publish_wishes (const DnContainerOptions *options, const DnImage *image,
                                     GError **error);

/* [{"address", "host_port", "port", "protocol"}]: what is open now. (transfer full) */
JsonArray *dn_container_publish_to_json (const DnContainer *container);
