/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a process runs as: USER[:GROUP], each a name or a number.
 *
 * Names are the image's own, so they are resolved in the guest, inside the container, and never on
 * the host.  Numbers are of the container's range, 0 to 65,535: anything else is refused here
 * rather than cut to what fits (an id of 2^32 once was root elsewhere).
 *
 * Pure.
 */
#pragma once

#include <glib.h>

#define DN_USER_TEXT_MAX_BYTES 128
#define DN_USER_ID_MAX 65535

typedef struct
{
  gint64 uid;
  gint64 gid;
  gboolean is_resolved; /* nothing is left to look up: ids are all there is */
} DnUserText;

/**
 * dn_user_text_parse:
 * @text: NULL or empty: 0:0
 * @what: "--user", "image's user"
 *
 * Sets @error to @code when it is no user.
 */
gboolean dn_user_text_parse (const char *text, const char *what, int code, DnUserText *ret_user,
                             GError **error);
