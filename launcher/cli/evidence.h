/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of evidence: files, and a manifest that names each with its SHA-256.
 *
 *   DIR/manifest.json      there from the first moment, "incomplete" until all is saved
 *   DIR/manifest.json.sig  where a key is configured: ed25519, by `openssl pkeyutl`
 *   DIR/SHA256SUMS         the same digests for sha256sum -c
 *
 * The directory is new or empty, and 0700; files are made below it alone, never over another, and
 * synced.  Whatever breaks off leaves a manifest that says so.
 *
 * Source: docs/forensics.md.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_EVIDENCE_FORMAT "danchi-forensics-1"

typedef struct DnEvidence DnEvidence;

/**
 * dn_evidence_open:
 * @key: (nullable): the private key to sign with: root's (or the caller's) alone
 * @context: for the manifest
 *
 * Makes @path (its parent exists) or takes it where it is an empty directory of the caller's, and
 * writes the manifest, signed: a key that does not work is found out now.
 *
 * Returns: (transfer full): or NULL with DN_ERROR_CONFLICT, _CONFIG, _FAILED; then nothing was made
 */
DnEvidence *dn_evidence_open (const char *path, const char *context, const char *key,
                              GError **error);
void dn_evidence_free (DnEvidence *evidence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnEvidence, dn_evidence_free)

/* Plain names, with '/' between them, none of which begins with '.': pure. */
gboolean dn_evidence_name_is_valid (const char *name);

/* Copies @size bytes of @fd from its beginning, less where it ends before.  @fd stays the
 * caller's. */
gboolean dn_evidence_add (DnEvidence *evidence, const char *name, int fd, guint64 size,
                          GError **error);

/**
 * dn_evidence_finish:
 * @facts: (transfer none): members to go into the manifest as they are
 * @problem: (nullable): why it is incomplete
 *
 * Writes the last manifest.
 */
gboolean dn_evidence_finish (DnEvidence *evidence, JsonObject *facts, const char *problem,
                             GError **error);

/* The manifest as a document, without its file: pure. (transfer full) */
JsonNode *dn_evidence_manifest (const DnEvidence *evidence, JsonObject *facts, const char *problem);
