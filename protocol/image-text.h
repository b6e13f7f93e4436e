/* SPDX-License-Identifier: Apache-2.0 */
/* What the values of an image's config may look like: the one rule for both ends.
 *
 * The unpack guest asks, so that an image with a hostile value is refused before anything is
 * unpacked; danchid asks again, since a guest may lie.  What is refused here can mean nothing good:
 * a directory of "..", a user that is an option, a signal that does not exist.  Sizes, UTF-8 and
 * control characters are checked by the callers, for all fields alike.
 *
 * Pure.  Source: OCI image-spec, config.md, "Properties"; docker image spec v1.2.
 */
#pragma once

#include "protocol.h"

#define DN_IMAGE_USER_BYTES 128

/**
 * dn_image_text_fault:
 * @value: one value of @field, a text
 *
 * Returns: NULL for what is good, else what is wrong with it, to be read after the value's name
 */
const char *dn_image_text_fault (DnImageField field, const char *value);
