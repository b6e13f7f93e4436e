/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 digests and their text form "sha256:<64 lower-case hexadecimal digits>".
 *
 * The only algorithm that images in use have; another one is refused by name, not skipped.
 * Source: OCI image-spec, descriptor.md, "Digests"; nettle/sha2.h.
 */
#pragma once

#include "failure.h"

#define DN_DIGEST_BYTES 32
#define DN_DIGEST_TEXT_BYTES (7 + 2 * DN_DIGEST_BYTES)

typedef struct
{
  uint8_t bytes[DN_DIGEST_BYTES];
} DnDigest;

/* @what: for the message, for instance "layer 2".  Zeroes are refused: on the wire they say that
 * there is no digest, and nothing has them. */
bool dn_digest_read (const char *text, const char *what, DnDigest *ret_digest, DnFailure *failure);

/* Writes %DN_DIGEST_TEXT_BYTES and a NUL. */
void dn_digest_write (const DnDigest *digest, char ret_text[DN_DIGEST_TEXT_BYTES + 1]);

bool dn_digest_is_equal (const DnDigest *a, const DnDigest *b);

/* Hashing in pieces. */
typedef struct DnDigester DnDigester;

/* (transfer full); ends the process when there is no memory. */
DnDigester *dn_digester_new (void);
void dn_digester_free (DnDigester *digester); /* accepts NULL */
void dn_digester_add (DnDigester *digester, const void *bytes, size_t size);
/* Once, at the end. */
void dn_digester_finish (DnDigester *digester, DnDigest *ret_digest);
