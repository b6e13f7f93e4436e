/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that an operator trusts to sign images: files, each with a name.
 *
 * A key's name is its file's, without directory and ending: /etc/danchi/keys/acme.gpg is acme. What
 * it is for is said by the ending, since danchid never reads what is in a key:
 *
 *     .gpg .asc .pgp    OpenPGP, one key or several, binary or armoured: gpgv
 *     .pub              minisign (ed25519)
 *
 * Names stand in [images] signature of a context; a key's whole path may stand there too.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

#include "../common/key-file.h"

typedef enum
{
  DN_SIGNING_GPG,
  DN_SIGNING_MINISIGN,
  DN_SIGNING_KINDS,
} DnSigningKind;

extern const char *const dn_signing_kind_words[]; /* "GPG", "minisign"; ends with NULL */

#define DN_SIGNING_KEYS_MAX 16

/* By the ending of @path.  FALSE: of neither kind. */
gboolean dn_signing_key_kind (const char *path, DnSigningKind *ret_kind);

/* (transfer full) */
char *dn_signing_key_name (const char *path);

/* Whether one of @wanted, names or paths, is the key at @path. */
gboolean dn_signing_key_is_one_of (const char *path, char **wanted);

/* [images] load_keys: absolute paths of either kind, no two keys of one name.  As
 * dn_key_file_throw(). */
gboolean dn_signing_keys_check (char **paths, const char *what, const DnKeyPlaces *places,
                                GError **error);
