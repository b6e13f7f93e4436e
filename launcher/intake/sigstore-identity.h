/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the name for which an image was signed is one that a policy accepts for the name by which
 * it is asked for: signedIdentity of containers-policy.json(5).
 *
 * Pure.  Source: containers/image 5.23, signature/policy_reference_match.go.
 */
#pragma once

#include <json-glib/json-glib.h>

/* @identity: NULL is matchRepoDigestOrExact; one that is not known accepts nothing.  @asked has a
 * tag or a digest. */
gboolean dn_sigstore_identity_matches (JsonObject *identity, const char *asked,
                                       const char *signed_for);
