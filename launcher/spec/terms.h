/* SPDX-License-Identifier: Apache-2.0 */
/* On what terms a context's containers run, beside their confinement and network: the groups
 * [images], [volumes] and [lifetime] of a context's file and, for those that say nothing, of
 * danchi.conf.
 *
 *     [images]
 *     allow = nginx:*;docker.io/library/redis:?   reference-glob.h; which images
 *     digest = required                      only by a name with a digest that is the image's
 *     signature = required                   only images with a verified signature; or by whose
 *                                            key: acme;ci (signing-key.h)
 *     scan = required                        only scanned ones, and what the verdict has to be
 *     [volumes]
 *     binds = /srv/data:ro;~:rw              directories of the host's: bind-policy.h
 *     [lifetime]
 *     idle_s = 600                           the guest ends when it was empty that long; 0: never
 *     maximum_s = 86400                      it ends that long after its start, whoever is in
 *
 * Pure.
 */
#pragma once

#include "../common/key-file.h"

#define DN_TERMS_KEYS 7
#define DN_LIFETIME_MAX_S (10 * 365 * 86400)

typedef enum
{
  DN_NEED_OPTIONAL,
  DN_NEED_REQUIRED,
} DnNeed;

extern const char *const dn_need_words[]; /* by DnNeed, ends with NULL */

/* What a context wants of a scan; each serves those before it. */
typedef enum
{
  DN_SCAN_NEED_OPTIONAL,
  DN_SCAN_NEED_REQUIRED, /* a verdict that is no `fail` */
  DN_SCAN_NEED_PASS,     /* a `pass` and nothing else */
} DnScanNeed;

extern const char *const dn_scan_need_words[]; /* by DnScanNeed, ends with NULL */

typedef struct
{
  char **allow;      /* owned; at least one */
  int digest;        /* DnNeed */
  char **signature;  /* owned; "optional", "required", or keys by name or path; at least one */
  int scan;          /* DnScanNeed */
  char **binds;      /* owned; without faults; perhaps none */
  guint64 idle_s;    /* 0: no limit */
  guint64 maximum_s; /* 0: no limit */
} DnTerms;

/* What holds where no file says anything: every image, nothing of the host's, no limits.
 */
void dn_terms_init (DnTerms *terms);
void dn_terms_clear (DnTerms *terms);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnTerms, dn_terms_clear)

/* @ret_copy is taken for empty: nothing in it is freed. */
void dn_terms_copy (const DnTerms *terms, DnTerms *ret_copy);

/* Whether images have to be signed; by whose key, where that matters: (out) (optional) (nullable)
 * (transfer none). */
gboolean dn_terms_want_signature (const DnTerms *terms, char ***ret_keys);

/* The %DN_TERMS_KEYS keys that read @terms, for a table of dn_key_file_parse(). */
void dn_terms_fill_keys (DnTerms *terms, DnKey *ret_keys);

/* What the table cannot say; after parsing.  As dn_policy_check(). */
gboolean dn_terms_check (const DnTerms *terms, const char *what, const DnKeyPlaces *places,
                         GError **error);
