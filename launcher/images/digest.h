/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 as bytes, as the channel has it, and as hexadecimal text, as everything else has it. */
#pragma once

#include <glib.h>

#define DN_DIGEST_BYTES 32
#define DN_DIGEST_DIGITS 64

/* (transfer full) */
char *dn_digest_to_hex (const guint8 digest[DN_DIGEST_BYTES]);

/* @hex: checked before (dn_id_is_hex()) */
void dn_digest_from_hex (const char *hex, guint8 ret_digest[DN_DIGEST_BYTES]);

/* Whether there is none. */
gboolean dn_digest_is_zero (const guint8 digest[DN_DIGEST_BYTES]);
