/* SPDX-License-Identifier: Apache-2.0 */
/* Identities of guests: a slot gives QEMU and relay a uid and gid of their own, and a vsock CID.
 *
 * No two guests of the host share a slot at any time, whatever danchids run on it: a slot is
 * claimed by a file in %DN_IDENTITY_DIRECTORY that holds the path of the journal entry it is for,
 * and a claim counts as long as that entry exists.  A slot is given out only when its uid owns
 * nothing that can be seen (identity-use.h): what an earlier guest left must not fall to the next.
 *
 * Privilege: root.
 */
#pragma once

#include <glib.h>

#define DN_IDENTITY_DIRECTORY "/run/danchi-slots"
#define DN_IDENTITY_SLOTS 10000
#define DN_IDENTITY_UID_FIRST 200001
#define DN_IDENTITY_CID_FIRST 1000

typedef struct
{
  guint slot;
  guint uid;
  guint gid; /* the same number as uid */
  guint vsock_cid;
} DnIdentity;

/* Pure. */
DnIdentity dn_identity_of_slot (guint slot);
gboolean dn_identity_owns_uid (guint uid);

/* Tests use another directory.  Before the first call of the others. */
void dn_identity_override_directory (const char *path);

/**
 * dn_identity_take:
 * @journal_path: of the entry that the caller writes next, within a minute
 *
 * Returns: TRUE, or FALSE with DN_ERROR_LIMIT when all are taken, or DN_ERROR_FAILED
 */
gboolean dn_identity_take (const char *journal_path, DnIdentity *ret_identity, GError **error);

/* Likewise, of the slots below @slots, which are those that have addresses. */
gboolean dn_identity_take_below (guint slots, const char *journal_path, DnIdentity *ret_identity,
                                 GError **error);

typedef gboolean (*DnIdentitySlotFunc) (guint slot, gpointer data);

/* Calls @each for those of @slots (guint) that nobody on this host claims, while nobody can: what
 * is left of their guests can be removed.  Stops where it says FALSE. */
void dn_identity_each_unclaimed (const GArray *slots, DnIdentitySlotFunc each, gpointer data);

/* Gives a slot back, if the claim is for @journal_path. */
void dn_identity_release (guint slot, const char *journal_path);

/* Removes claims for journal entries in @journal_directory that do not exist.
 * Returns: (transfer full) (element-type utf8): what was removed, one line each */
GPtrArray *dn_identity_sweep (const char *journal_directory);
