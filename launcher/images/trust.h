/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's policy demands of an image that is pulled: containers-policy.json(5).
 *
 * The policy is the operator's, and read here; what it speaks of, signatures and keys, is not:
 * skopeo verifies, in its jail.  The entry that counts for the image's name is looked up here as
 * containers/image does it: in transport "docker" the whole reference, the repository, each of its
 * parents, the registry, wildcards of its domain, "" at last; then the policy's default.  skopeo
 * then gets a policy with that one entry and `reject` for all else, and copies of the key files it
 * names. So when skopeo has taken an image, it is known by which requirements: nothing of skopeo's
 * words has to be understood for that.
 *
 * Debian's skopeo is built without sigstore and refuses each such requirement.  Those go to the
 * jail apart from the policy, which verifies them itself once the image is there
 * (../intake/sigstore.h): a key in a file or in the policy, no Fulcio, no Rekor.
 *
 * An entry that is insecureAcceptAnything alone makes an image that counts as not signed.
 *
 * dn_trust_choose() and dn_trust_decide() are pure.
 * Source: containers-policy.json(5); containers/image 5.23, signature/policy_eval.go and
 * docker/policyconfiguration.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_TRUST_MAX_BYTES (1024 * 1024)     /* of the policy */
#define DN_TRUST_KEY_MAX_BYTES (1024 * 1024) /* of a key's file */
#define DN_TRUST_KEYS_MAX 32
#define DN_TRUST_RULE "image-policy" /* refusals name it */

/* What dn_trust_write() leaves. */
#define DN_TRUST_POLICY_FILE "policy.json"
#define DN_TRUST_SIGSTORE_FILE "sigstore.json"

typedef struct
{
  char *file;      /* owned, as are all; the policy's */
  char *reference; /* of the image */
  char *scope;     /* "" for the transport's own; NULL: the policy's default */
  char **types;    /* of its requirements, all of which have to be met; at least one */
  char **keys;     /* files, in the order in which the requirements name them */
  GPtrArray
      *signers; /* of each requirement that wants a signature: TYPE, PATH, PATH ... (char **) */
  JsonNode *sigstore; /* a list of sigstoreSigned requirements, NULL: none */
  JsonNode *derived;  /* what skopeo gets; key N of `keys` is the file "key.N" */
} DnTrust;

void dn_trust_free (DnTrust *trust);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnTrust, dn_trust_free)

/**
 * dn_trust_choose:
 * @text: the policy, @size bytes, of @file
 * @reference: REGISTRY/REPO:TAG or REGISTRY/REPO@sha256:DIGEST, in full
 * @jail: the directory in which skopeo finds the keys
 *
 * Returns: (transfer full): NULL with DN_ERROR_CONFIG that names the file and what is wrong in it;
 *   DN_ERROR_DENIED where the policy rejects such an image whatever it is
 */
DnTrust *dn_trust_choose (const char *text, gsize size, const char *file, const char *reference,
                          const char *jail, GError **error);

/* Where the policy is: @named, where settings name one; else containers/policy.json beside
 * danchi.conf, where there is one, as for registries' other settings; else the host's.
 * (transfer full) */
char *dn_trust_find (const char *named);

/* What the policy says for a name that it says nothing of: "anything", "signed", "nothing"; where
 * there is no policy, likewise "nothing"; "unknown" for one that is wrong. */
const char *dn_trust_takes (const char *file);

/* Reads @file and chooses.  DN_ERROR_DENIED where there is no such file: who wants to take anything
 * has to say so. */
DnTrust *dn_trust_read (const char *file, const char *reference, const char *jail, GError **error);

/* Puts policy.json, sigstore.json where there is one, and key.0, key.1 ... into @directory, 0444,
 * for skopeo.  DN_ERROR_CONFIG for a key that cannot be read. */
gboolean dn_trust_write (const DnTrust *trust, const char *directory, GError **error);

/* A copy of the key at @path as "key.@number", likewise. */
gboolean dn_trust_copy_key (const char *path, const char *directory, guint number, GError **error);

/* Whether it wants a signature at all. */
gboolean dn_trust_wants_signature (const DnTrust *trust);

/* What is to be kept of an image that skopeo took: decisions of signature.h.  @manifest: its
 * digest, hexadecimal.  (transfer full) */
JsonArray *dn_trust_decide (const DnTrust *trust, const char *manifest, gint64 time_us);

/* For people: "signedBy for registry.example.com/acme, /etc/containers/policy.json". (transfer
 * full)
 */
char *dn_trust_words (const DnTrust *trust);

/* Why skopeo has not taken an image, from the words that its jail handed on: DN_ERROR_DENIED with
 * rule, place and remedy.  Returns FALSE. */
gboolean dn_trust_refuse (const DnTrust *trust, const char *words, GError **error);
