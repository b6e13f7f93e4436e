/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes as they stand behind an inode of EROFS. */
#pragma once

#include "failure.h"

/**
 * dn_erofs_attributes_read:
 * @name: in directory @parent; not followed
 * @ret_bytes: (out) (transfer full): NULL where there are none that count
 *
 * user.* and trusted.overlay.opaque, in the order of their names.
 */
bool dn_erofs_attributes_read (int parent, const char *name, uint8_t **ret_bytes,
                               uint32_t *ret_size, DnFailure *failure);
