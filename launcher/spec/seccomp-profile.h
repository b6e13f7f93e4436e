/* SPDX-License-Identifier: Apache-2.0 */
/* A seccomp profile in Docker's JSON format (or OCI's, its subset), read strictly.
 *
 * What an engine would ignore or settle by order is an error here, because a misread profile is a
 * hole: unknown keys, actions, operators, flags and names; an errno on an action that takes none;
 * two comparisons of one argument in one rule (libseccomp cannot say it, others turn it into "or");
 * one call with two different actions (libseccomp keeps whichever it likes); numbers that do not
 * fit.  Two kinds of name are known but left out: calls of other architectures, and calls newer
 * than libseccomp's table, which seccomp-filter.h answers with ENOSYS whatever a profile says.
 *
 * `includes` and `excludes` are settled while reading, for the container that the filter is for:
 * its capabilities, the native architecture, a guest kernel of at least DN_SECCOMP_KERNEL_*.
 *
 * Pure.  The input is a user's file: bounded by %DN_SECCOMP_PROFILE_MAX_BYTES and
 * %DN_SECCOMP_RULES_MAX.
 * Source: OCI runtime-spec, config-linux.md, "Seccomp"; seccomp_rule_add(3).
 */
#pragma once

#include <glib.h>
#include <seccomp.h>

#define DN_SECCOMP_PROFILE_MAX_BYTES (256 * 1024)
#define DN_SECCOMP_RULES_MAX 4096
#define DN_SECCOMP_ARGS 6

/* The oldest guest kernel there is, for minKernel. */
#define DN_SECCOMP_KERNEL_MAJOR 6
#define DN_SECCOMP_KERNEL_MINOR 1

typedef struct
{
  int number;     /* of the native architecture */
  char *name;     /* owned */
  guint32 action; /* SCMP_ACT_* with its errno */
  struct scmp_arg_cmp args[DN_SECCOMP_ARGS];
  guint args_count; /* 0: whatever the arguments */
} DnSeccompRule;

typedef struct
{
  guint32 default_action;
  guint64 capabilities; /* whom it was read for */
  GPtrArray *rules;     /* owned DnSeccompRule *, in the file's order; none equals the default */
} DnSeccompProfile;

/**
 * dn_seccomp_profile_read:
 * @capabilities: of the container, its bounding set
 * @what: names the profile in errors
 *
 * Returns: (transfer full): the profile, or NULL with DN_ERROR_CONFIG
 */
DnSeccompProfile *dn_seccomp_profile_read (const char *text, gsize size, guint64 capabilities,
                                           const char *what, GError **error);

/* Whether @profile refuses what it does not name; DN_ERROR_CONFIG.  One that permits is a list of
 * what is known to be bad: it may take away from another and never stand alone. */
gboolean dn_seccomp_profile_refuses (const DnSeccompProfile *profile, const char *what,
                                     GError **error);

/* Moves the rules of @more, which must have the same default, to the end of @profile.  One call
 * with different actions in the two is DN_ERROR_CONFIG. */
gboolean dn_seccomp_profile_extend (DnSeccompProfile *profile, DnSeccompProfile *more,
                                    const char *what, GError **error);

void dn_seccomp_profile_free (DnSeccompProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnSeccompProfile, dn_seccomp_profile_free)

/* Whether @profile permits the call @name, at least with some arguments. */
gboolean dn_seccomp_profile_permits (const DnSeccompProfile *profile, const char *name);
