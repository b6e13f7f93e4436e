/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ids: what containers and contexts may be called.
 *
 * A name goes into file names, domain titles and terminals, so the pattern is narrow and is checked
 * before anything else is done with it: [a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}.
 */
#pragma once

#include <glib.h>

#include "../../protocol/protocol.h"

#define DN_NAME_MAX_BYTES 63
/* The shortest beginning of an id that a user may give instead of the whole. */
#define DN_ID_PREFIX_MIN_BYTES 3

gboolean dn_name_is_valid (const char *name);

/* @what ("container", "context") is for the error: DN_ERROR_USAGE, with the pattern. */
gboolean dn_name_check (const char *name, const char *what, GError **error);

/* An adjective and a noun of the housing estate: "quiet_balcony".  (transfer full) */
char *dn_name_random (void);

/* Fills @ret_id with 32 random lower-case hexadecimal digits and a NUL. */
void dn_id_new (char ret_id[DN_ID_BYTES + 1]);

/* Whether @text is @digits lower-case hexadecimal digits. */
gboolean dn_id_is_hex (const char *text, gsize digits);

/* Whether @text can be the beginning of an id: at least %DN_ID_PREFIX_MIN_BYTES such digits. */
gboolean dn_id_is_prefix (const char *text);

/* A copy for JSON and logs of text that a guest, an image or a tenant wrote: invalid UTF-8 becomes
 * U+FFFD, control characters become '?', and at most @max_bytes are kept.  (transfer full) */
char *dn_text_clean (const char *text, gsize max_bytes);
