/* SPDX-License-Identifier: Apache-2.0 */
/* What gpgv found, from its status lines.
 *
 * Its exit status is not enough: it is 0 for a key that has expired, and not 0 where beside a good
 * signature there is one of a key that nobody asked for.
 *
 * Pure.  Source: GnuPG 2.2, doc/DETAILS, "Format of the --status-fd output".
 */
#pragma once

#include <glib.h>

#define DN_KEY_ID_MAX_BYTES 64 /* of a fingerprint, hexadecimal */

typedef enum
{
  DN_GPG_GOOD,
  DN_GPG_NO_KEY, /* by keys that are not in the keyring, all of them */
  DN_GPG_BAD,
  DN_GPG_KEY_EXPIRED,
  DN_GPG_KEY_REVOKED,
  DN_GPG_EXPIRED,
  DN_GPG_NONE, /* no signature at all, or not understood */
} DnGpgFinding;

/**
 * dn_gpg_status_read:
 * @text: the lines, @size bytes
 * @ret_id: the fingerprint of the primary key where good; else what is known of whose it is, or ""
 * @ret_signed_s: when it was made, 0: not known
 */
DnGpgFinding dn_gpg_status_read (const char *text, gsize size, char ret_id[DN_KEY_ID_MAX_BYTES + 1],
                                 gint64 *ret_signed_s);
