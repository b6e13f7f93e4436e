/* SPDX-License-Identifier: Apache-2.0 */
/* How far containers of a context may be confined otherwise than by its default: the group
 * [confinement] of a context's file and of danchi.conf.
 *
 *     profiles = strict;standard     what --profile may name
 *     profile = strict               what holds where it names none
 *     capabilities = NET_RAW         what --cap-add may add to a profile's
 *     seccomp = default              relaxed: a container's own filter may reach for relaxed.json
 *                                    too; unconfined: it may go without
 *     profile_files = no             yes: a caller's own profile may be looser than all of them
 *
 * A caller's own profile that is no looser than one of `profiles` is always permitted.
 *
 * Pure.
 */
#pragma once

#include "../common/key-file.h"
#include "profile.h"

#define DN_POLICY_KEYS 5

typedef struct
{
  char **profiles;     /* owned, as is all */
  char *profile;       /* one of them */
  char **capabilities; /* names, known and without ALL */
  int seccomp;         /* DnSeccompBase */
  gboolean profile_files;
} DnPolicy;

/* What holds where no file says anything: strict and standard, nothing else. */
void dn_policy_init (DnPolicy *policy);
void dn_policy_clear (DnPolicy *policy);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnPolicy, dn_policy_clear)

/* @ret_copy is taken for empty: nothing in it is freed. */
void dn_policy_copy (const DnPolicy *policy, DnPolicy *ret_copy);

/* The %DN_POLICY_KEYS keys that read @policy, for a table of dn_key_file_parse(). */
void dn_policy_fill_keys (DnPolicy *policy, DnKey *ret_keys);

/* What the table cannot say; after parsing, which has filled @places (nullable).  DN_ERROR_CONFIG,
 * naming @what, line, group and key. */
gboolean dn_policy_check (const DnPolicy *policy, const char *what, const DnKeyPlaces *places,
                          GError **error);
