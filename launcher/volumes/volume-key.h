/* SPDX-License-Identifier: Apache-2.0 */
/* The key of an encrypted volume: where it is found when a container starts, and its way into the
 * guest.  danchid has descriptors of it and never a byte: ../secrets/secret-send.h.
 *
 * A key comes with the request, by the volume's name or id, or is the file of the volume's id in
 * the operator's directory.  A guest that has the volume open needs none.
 */
#pragma once

#include "../daemon/container-part.h"
#include "volumes.h"

/* Whether there is a key, or none is needed, before a guest is started for it; which key it is the
 * guest finds out.  Without locks.  DN_ERROR_USAGE says how to give it, _CONFIG: the operator's
 * file is not root's alone */
gboolean dn_volume_key_check (DnPartStart *start, DnVolume *volume, GError **error);

/* Brings it to the guest's agent, under @name.  With the volume's op_lock held.  DN_ERROR_USAGE,
 * _CONFIG, _LIMIT: it is not of a key's size, _GUEST */
gboolean dn_volume_key_send (DnPartStart *start, const DnVolume *volume, const char *name,
                             GError **error);
