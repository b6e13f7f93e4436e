/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures as cosign attaches them to an image, verified by a key that the policy names: what
 * containers-policy.json(5) calls sigstoreSigned, without Fulcio and Rekor.  In the jail.
 *
 * Debian builds skopeo without it.  What is here follows containers/image, and its words where it
 * refuses, so that a refusal reads the same whoever has verified.
 *
 * Source: containers/image 5.23, signature/policy_eval_sigstore.go, internal/sigstore_payload.go
 * and policy_reference_match.go; cosign's SIGNATURE_SPEC.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_SIGSTORE_KEY_MAX_BYTES (64 * 1024)
#define DN_SIGSTORE_PAYLOAD_MAX_BYTES (64 * 1024)
#define DN_SIGSTORE_SIGNATURES_MAX 64

typedef struct
{
  GBytes *payload; /* owned, as is all */
  GBytes *signature;
} DnSigstoreSignature;

void dn_sigstore_signature_free (DnSigstoreSignature *signature);

/* Whether @signature, made over @payload, is of the public key @pem: ECDSA and RSA (PKCS #1) with
 * SHA-256, or Ed25519. */
gboolean dn_sigstore_verify (GBytes *pem, GBytes *payload, GBytes *signature, GError **error);

/**
 * dn_sigstore_check_payload:
 * @digest: of the image's manifest, "sha256:..."
 * @reference: what was asked for, in full
 * @identity: the requirement's signedIdentity, or NULL: matchRepoDigestOrExact
 *
 * Whether a payload that was verified speaks of this image.  Pure.
 */
gboolean dn_sigstore_check_payload (GBytes *payload, const char *digest, const char *reference,
                                    JsonObject *identity, GError **error);

/* Of a manifest of signatures: "HEX SIGNATURE-IN-BASE64" of each that is one; @read gives a payload
 * by the HEX of its digest, or NULL. (transfer full) (element-type DnSigstoreSignature): NULL with
 * @error where it is no manifest.  Pure but for @read. */
GPtrArray *dn_sigstore_read (const char *manifest, gsize size,
                             GBytes *(*read) (const char *hex, gpointer data), gpointer data,
                             GError **error);

/* Whether one of @signatures meets @requirement, whose key's file @key is; NULL: it has the key in
 * itself. */
gboolean dn_sigstore_meet (JsonObject *requirement, GBytes *key, GPtrArray *signatures,
                           const char *digest, const char *reference, GError **error);
