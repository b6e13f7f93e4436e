/* SPDX-License-Identifier: Apache-2.0 */
#include "trust-fault.h"

#include <glib.h>
#include <string.h>

#define ASK "ask whoever publishes the image for a signature of a key that the policy names"

/* The first that is found counts. */
static const struct
{
  const char *words;
  DnTrustFault fault;
} faults[] = {
  { "does not match",
    { "its signature is one of another image",
      "do not use it: what the registry serves is not what was signed" } },
  { "Signature for identity",
    { "its signature is for another name",
      "pull it by the name that it was signed for, or let the policy say signedIdentity" } },
  { "is not accepted",
    { "its signature is by a key that the policy does not name",
      "if the key is to be trusted, add it to the policy" } },
  /* GPG_ERR_NO_PUBKEY: of the keys given, which are the policy's alone. */
  { "gpgme.Error{err:0x9}",
    { "its signature is by a key that the policy does not name",
      "if the key is to be trusted, add it to the policy" } },
  { "gpgme.Error{err:0x7000009}",
    { "its signature is by a key that the policy does not name",
      "if the key is to be trusted, add it to the policy" } },
  /* GPG_ERR_KEY_EXPIRED, GPG_ERR_CERT_REVOKED, GPG_ERR_SIG_EXPIRED, GPG_ERR_BAD_SIGNATURE. */
  { "err:0x7000099}",
    { "its signature is by a key that has expired",
      "get the key anew from its owner, who may have prolonged it, or have the image signed "
      "again" } },
  { "err:0x700005e}",
    { "its signature is by a key that was revoked",
      "do not use it; have it signed again by another key" } },
  { "err:0x700009c}", { "its signature has expired", "have it signed again" } },
  { "err:0x7000008}",
    { "its signature is wrong", "do not use it: signature or key were changed" } },
  { "cryptographic signature verification failed",
    { "its signature is by a key that the policy does not name",
      "if the key is to be trusted, name it in the policy" } },
  { "A signature was required, but no signature exists",
    { "it is not signed", ASK "; where signatures are kept elsewhere, registries.d has to say so: "
                              "containers-registries.d(5)" } },
  { "None of the signatures were accepted",
    { "none of its signatures is by a key that the policy names", ASK } },
  { "No public keys imported",
    { "the policy names a file that has no key in it",
      "put a public key of GPG's there: gpg --export" } },
  { "parsing public key",
    { "the policy names a file that has no key in it", "put a public key there, as PEM" } },
  { "signature format", { "what is served as its signature is none", ASK } },
};

static const DnTrustFault other
    = { "the policy's requirements are not met", "danchid's log has skopeo's words" };

const DnTrustFault *
dn_trust_fault_find (const char *words)
{
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    if (strstr (words, faults[i].words) != NULL)
      return &faults[i].fault;
  return &other;
}
