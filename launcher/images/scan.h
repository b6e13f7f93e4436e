/* SPDX-License-Identifier: Apache-2.0 */
/* What a scanner said of an image (R4.3, R5.9): kept with the image, in its image.json.
 *
 * Immutable and counted.  Its texts are a stranger's, of the scanner or of the scanned image: a
 * jailed process has read the scanner's JSON (../intake/verdict.h), scan-lines.h has checked what
 * that wrote.  They decide nothing but what the operator wished them to: rule image-scan.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../common/scan-words.h"

typedef struct
{
  DnScanSeverity severity;
  char *id; /* owned, as are all; never NULL */
  char *package;
  char *installed;
  char *fixed;
  char *title;
} DnScanFinding;

typedef struct
{
  gint ref_count;
  DnScanVerdict verdict;
  gint64 time_us; /* of its end */
  char *summary;  /* owned, as are all; never NULL */
  char *scanner;  /* "image ID", "program SHA256" or both, with a blank between */
  char **data;    /* NAME=SHA256 of each file given to the scanner */
  gint64 counts[DN_SCAN_SEVERITIES];
  GPtrArray *findings; /* DnScanFinding, the most severe first */
} DnScan;

DnScan *dn_scan_new (DnScanVerdict verdict, const char *summary);
DnScan *dn_scan_ref (DnScan *scan);
void dn_scan_unref (DnScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnScan, dn_scan_unref)

/* Copies @values: id, package, installed, fixed, title. */
void dn_scan_add_finding (DnScan *scan, DnScanSeverity severity, const char *const values[5]);

/* Whether the verdict counts as one on which something may be started; @wants_pass: not a `warn`.
 */
gboolean dn_scan_is_good (const DnScan *scan, gboolean wants_pass);
/* Older than @max_age_us (0: never is); what lies in the future is too old as well. */
gboolean dn_scan_is_stale (const DnScan *scan, gint64 max_age_us, gint64 now_us);

/* For image.json, image-inspect and the answer of image-scan; dn_scan_from_json() reads it again.
 * (transfer full) */
JsonObject *dn_scan_to_json (const DnScan *scan);
DnScan *dn_scan_from_json (JsonObject *object, const char *what, GError **error);

/* "fail (1 critical, 2 high)", for lists, events and the audit record. (transfer full) */
char *dn_scan_words (const DnScan *scan);
