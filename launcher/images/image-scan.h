/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict that is kept with an image: member `scan` of its provenance.
 */
#pragma once

#include "../daemon/request.h"
#include "../daemon/settings.h"
#include "image.h"
#include "scan.h"

/* (transfer full): or NULL where it was never scanned. */
DnScan *dn_image_scan_get (const DnImage *image);

/* Whether the image has a verdict that is not too old by @settings. */
gboolean dn_image_scan_counts (const DnImage *image, const DnScanSettings *settings);

/* The greatest DnScanNeed that its verdict serves: one that does not count serves none. */
DnScanNeed dn_image_scan_need (const DnImage *image, const DnScanSettings *settings);

/* The verdict for people: "fail (2 critical)", "pass, 40 days ago"; NULL: none. (transfer full) */
char *dn_image_scan_words (const DnImage *image, const DnScanSettings *settings);

/**
 * dn_image_scan_make:
 *
 * Scans, keeps the verdict with the image, tells events and the audit record.  Two at a time of one
 * image are both run; the later one stays.
 *
 * Returns: (transfer full): as dn_scan_run()
 */
DnScan *dn_image_scan_make (DnRequest *request, DnImage *image, gboolean allow_emulation,
                            GError **error);

/**
 * dn_image_scan_when:
 * @names: (nullable): names that it is about to get
 *
 * Scans where the settings say so for @when, and the image has no verdict that counts; the
 * scanner's own image is not scanned by itself.  What the verdict is decides nothing here: contexts
 * do.
 *
 * Returns: FALSE where it should be scanned and cannot be
 */
gboolean dn_image_scan_when (DnRequest *request, DnImage *image, char **names, DnScanWhen when,
                             gboolean allow_emulation, GError **error);
