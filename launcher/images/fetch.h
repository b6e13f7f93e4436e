/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs of pulls under way: STATE/store/fetch/HEX, each whole and named by the SHA-256 that danchid
 * has computed; 0444.
 *
 * What an interrupted pull has fetched stays here for the next one, and what several pulls need at
 * a time is fetched by one: a pull claims all the blobs that it is about to fetch at once, or waits
 * until nobody else is at any of them.  Since nobody waits while it has claims, no two wait for
 * each other.
 *
 * Bounded: what is older than a day goes at the next pull, the oldest go first where all of it is
 * more than a limit, and gc removes what no pull needs.
 *
 * Safe from any thread; the lock is a leaf and never held while bytes are moved.  Privilege: root.
 */
#pragma once

#include "store.h"

#define DN_FETCH_BLOBS_MAX 512
#define DN_FETCH_AGE_S (24 * 3600)

typedef struct DnFetch DnFetch; /* one pull's */

/* Makes the directory where it is missing. */
DnFetch *dn_fetch_new (DnStore *store, GError **error);
/* Lets go of its claims; its blobs stay, for the next pull, unless dn_fetch_done() was called. */
void dn_fetch_free (DnFetch *fetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnFetch, dn_fetch_free)

/* A blob of the image, by its SHA-256 in hexadecimal.  DN_ERROR_LIMIT. */
gboolean dn_fetch_add (DnFetch *fetch, const char *sha256, guint64 size, GError **error);
gboolean dn_fetch_has (DnFetch *fetch, const char *sha256);

/* Claims all that neither store nor directory has.  FALSE when another pull is at one of them,
 * after a moment of waiting for it: then nothing is claimed. */
gboolean dn_fetch_claim (DnFetch *fetch);

/* Puts those that are there into the directory @fd, as links.  Returns how many bytes they have. */
guint64 dn_fetch_give (DnFetch *fetch, int fd);

/**
 * dn_fetch_take:
 * @path: a directory of files, root's now, that nobody writes any more; what they are is not known
 * @ret_wrong: (out) (optional) (transfer full): the SHA-256 that one of them should have had and
 * has not, or NULL
 *
 * Hashes what is named by a claimed blob's SHA-256, keeps what has it, and lets go of the claims.
 */
void dn_fetch_take (DnFetch *fetch, const char *path, char **ret_wrong);

/* Whether all blobs are in the directory; those that only the store has are linked to it. */
gboolean dn_fetch_is_complete (DnFetch *fetch);

/* The image is in the store: its blobs here are needed no more, but by other pulls. */
void dn_fetch_done (DnFetch *fetch);

/* (transfer full): the directory. */
char *dn_fetch_directory (void);

/* Removes what is older than DN_FETCH_AGE_S, and the oldest while all are more than @limit_bytes; 0
 * is all that no pull needs.  What was removed is added to @removed, which may be NULL. */
void dn_fetch_prune (guint64 limit_bytes, GPtrArray *removed);
