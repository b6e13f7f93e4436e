/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an image came signed, and by whose key: decisions that are kept with it.
 *
 * The member `signature` of an image's provenance is a list, the newest first.  Each time that an
 * image comes in one is added; one that found a signature is never displaced by one that found
 * none, since what they speak of is the same image: its id is the digest of its configuration, its
 * layers' keys are digests of their bytes.  A decision is made once; keys that change later change
 * none.
 *
 *     {"is_signed": true, "by": "archive", "kind": "GPG", "keys": ["/etc/danchi/keys/acme.gpg"],
 *      "key_id": "5E1F...", "over": "checksum", "digest": "ARCHIVE", "signed": TIME, "time": TIME}
 *     {"is_signed": false, "by": "archive", "why": "...", "digest": "ARCHIVE", "time": TIME}
 *     {"is_signed": true, "by": "policy", "kind": "signedBy", "keys": [PATH, ...],
 *      "policy": FILE, "scope": "registry.example.com/acme", "requirements": ["signedBy"],
 *      "digest": "MANIFEST", "time": TIME}
 *
 * `keys` are files of the host: one of them has made the signature; none where the policy has the
 * key in itself.  Digests are hexadecimal SHA-256, without a prefix.
 *
 * Pure.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../spec/signing-key.h"

#define DN_SIGNATURE_MEMBER "signature"
#define DN_SIGNATURES_MAX 16

/* What a signature of an archive was made over. */
typedef enum
{
  DN_SIGNED_ARCHIVE,  /* its bytes */
  DN_SIGNED_CHECKSUM, /* a file that has its SHA-256 */
  DN_SIGNED_MESSAGE,  /* likewise, the signature's own text */
  DN_SIGNED_OVERS,
} DnSignedOver;

extern const char *const dn_signed_over_words[]; /* "archive", ...; ends with NULL */

/* A signature of an archive that was verified.  Borrowed. */
typedef struct
{
  DnSigningKind kind;
  const char *key;    /* its file */
  const char *key_id; /* fingerprint, hexadecimal */
  DnSignedOver over;
  gint64 signed_us; /* what it says when it was made, 0: nothing */
} DnArchiveSignature;

/* Decisions.  @archive: its digest.  @why: for people, "danchi load had no --signature".
 * (transfer full) */
JsonObject *dn_signature_of_archive (const DnArchiveSignature *signature, const char *archive,
                                     gint64 time_us);
JsonObject *dn_signature_missing (const char *archive, const char *why, gint64 time_us);

/* Makes @decision the only one of @provenance, which is that of one import. (transfer full) */
void dn_signature_set (JsonObject *provenance, JsonObject *decision);

/* The list that @old and @new, which may each be NULL, make together.  (transfer full) */
JsonArray *dn_signature_merge (JsonArray *old, JsonArray *new);

/* Of each signature found, the keys of which one made it.  (transfer full) (element-type char **)
 */
GPtrArray *dn_signature_keys (JsonObject *provenance);

/* The names of the first one's keys with "or" between them, for lists and the audit: "acme";
 * "a key in the policy"; NULL: not signed. (transfer full) */
char *dn_signature_signer (JsonObject *provenance);

/* One decision in words: "signed by acme (GPG 5E1F...), over the archive's checksum", "not signed:
 * danchi load had no --signature". (transfer full) */
char *dn_signature_words (JsonObject *decision);

/* The first of them, or NULL. (transfer none) */
JsonObject *dn_signature_first (JsonObject *provenance);
