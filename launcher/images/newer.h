/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a registry has another image by a tag than the one that was pulled by it (R5.5).
 *
 * The registry is asked by danchi-intake in a jail, like for a pull, but for the document that the
 * tag names alone: danchid hashes it and reads nothing.  A registry that lies can make an image
 * look fresh or stale, no more.
 */
#pragma once

#include "../daemon/request.h"
#include "image.h"

/**
 * dn_newer_ask:
 * @image: one that was pulled by a tag: DN_ERROR_USAGE where it was not
 * @auth_fd: as for a pull; -1: as nobody
 *
 * Keeps what was found with the image, as member `newer` of its provenance: {reference, digest,
 * is_stale, checked_us}.
 *
 * Returns: (transfer full): the member, or NULL with an error that names the registry
 */
JsonObject *dn_newer_ask (DnRequest *request, const DnImage *image, int auth_fd, GError **error);
