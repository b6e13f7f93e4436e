/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and signatures as text: what of it gpgv and minisign do not read or say themselves.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_SIGNATURE_MINISIGN,
  DN_SIGNATURE_GPG_DETACHED, /* binary or armoured */
  DN_SIGNATURE_GPG_CLEAR,    /* a text with its signature around it */
} DnSignatureForm;

/* By how it begins; what is neither of the others counts as detached. */
DnSignatureForm dn_signature_form (const char *bytes, gsize size);

/**
 * dn_armor_decode:
 *
 * The bytes of all blocks of public keys in an armoured file, one behind the other, since gpgv
 * reads binary keyrings only; a copy of the bytes where they are not armoured.  The checksum at an
 * armour's end is not compared: what is broken is no keyring either.  Source: RFC 4880, 6.2.
 *
 * Returns: (transfer full): NULL where there is no block in it, or one without an end
 */
GBytes *dn_armor_decode (const char *text, gsize size);

/* The id in a minisign key or signature, as minisign prints it.  FALSE: neither. Source:
 * https://jedisct1.github.io/minisign/#signature-format */
gboolean dn_minisign_id (const char *text, gsize size, char ret_id[16 + 1]);

/* When a minisign signature says it was made, in seconds; 0: it does not say.  Part of what is
 * signed. */
gint64 dn_minisign_time_s (const char *text, gsize size);
