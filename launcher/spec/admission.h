/* SPDX-License-Identifier: Apache-2.0 */
/* The one decision whether a container may be confined as it asks to be.
 *
 * A profile (named, or the caller's own), --cap-add, --cap-drop and --security-opt seccomp are
 * settled against the policy of its context.  Whatever goes beyond the profile is a relaxation with
 * a name, which danchid keeps and shows.
 *
 * A name says whose profile it is: wherever one is shown it stands first, and is what people read.
 * So the caller's own profile may not carry the name of any of the operator's, also of those that
 * the context does not permit, unless it is that very profile, by its hash, and permitted.
 *
 * Pure.
 */
#pragma once

#include "policy.h"
#include "profile.h"

#define DN_SECCOMP_NO_FILTER "unconfined" /* in place of a profile's text */

typedef struct
{
  const DnProfile *profile; /* what it asks for */
  gboolean is_own;          /* the caller's FILE, not one of the operator's */
  GPtrArray *permitted;     /* where is_own: the policy's profiles, DnProfile */
  char **operators;         /* where is_own: names of all of the operator's profiles */
  char **cap_add;           /* checked by dn_capability_check(), or NULL, as cap_drop */
  char **cap_drop;
  const char *seccomp_json; /* NULL: none, or DN_SECCOMP_NO_FILTER */
} DnAdmissionRequest;

/**
 * dn_admission_decide:
 * @ret_seccomp: (out): DnSeccompBase: what the filter begins with
 * @ret_relaxations: (out) (transfer full): what goes beyond the profile, or beyond the operator's
 *   profiles where it is the caller's own; texts, perhaps none
 *
 * Returns: TRUE, or FALSE with DN_ERROR_DENIED that names everything that is not permitted and the
 *   key that would permit it
 */
gboolean dn_admission_decide (const DnAdmissionRequest *request, const DnPolicy *policy,
                              int *ret_seccomp, char ***ret_relaxations, GError **error);

/* The capabilities of a container: of its root, and of any other of its users (@ret_ambient), who
 * has what was asked for by name and nothing of the profile's.  As with Docker an addition counts
 * for more than a --cap-drop, so that "--cap-drop ALL --cap-add X" leaves X. */
guint64 dn_admission_capabilities (const DnProfile *profile, char **cap_add, char **cap_drop,
                                   guint64 *ret_ambient);
