/* SPDX-License-Identifier: Apache-2.0 */
/* What the jailed reader of a scanner's verdict (../intake/verdict.h) says, checked once more.
 *
 *     verdict pass|warn|fail
 *     summary TEXT
 *     counts LOW MEDIUM HIGH CRITICAL
 *     finding SEVERITY          and these five after each, at most DN_SCAN_FINDINGS_MAX times
 *     id TEXT
 *     package TEXT
 *     installed TEXT
 *     fixed TEXT
 *     title TEXT
 *
 * in this order, findings with the most severe first.  A text is one word: what is neither letter
 * nor digit of ASCII nor one of - . _ ~ is written as %XX.  A reader that the scanner's bytes took
 * over can lie about the verdict, which the scanner could have done itself, and do nothing else.
 * Pure.
 */
#pragma once

#include "scan.h"

typedef struct DnScanLines DnScanLines;

DnScanLines *dn_scan_lines_new (void);
void dn_scan_lines_free (DnScanLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnScanLines, dn_scan_lines_free)

/* One line; DN_ERROR_PROTOCOL where it is not the one that is due. */
gboolean dn_scan_lines_add (DnScanLines *lines, char **words, GError **error);

/* When there are no more.  (transfer full): or NULL with DN_ERROR_PROTOCOL where some are missing
 */
DnScan *dn_scan_lines_finish (DnScanLines *lines, GError **error);
