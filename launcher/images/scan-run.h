/* SPDX-License-Identifier: Apache-2.0 */
/* Scanning an image: the operator's scanner ([scan] of danchi.conf) in a throw-away guest of its
 * own looks at the image's root and says what it thinks of it (R4.3, R5.9).
 *
 * The scanner is a container like any other, with the strict profile, no network, and one right
 * more: CAP_DAC_READ_SEARCH within its user namespace, since a file that its owner alone may read
 * would else go unseen.  It finds
 *
 *     /scan           the image's root, read-only, nosuid, nodev, noexec
 *     /scan-data      the files of `data`, read-only, noexec, where there are any
 *     /scan-program   the file of `program`, read-only, where there is one
 *
 * Image and scanner are both a stranger's to the host: the guest has nothing but these disks, all
 * read-only, and is destroyed at the end, at its time limit, and when the client goes.  The
 * scanner's standard output goes from the relay straight to the jailed reader
 * (../intake/verdict.h); danchid sees lines of fixed form and an exit status.
 */
#pragma once

#include "../daemon/request.h"
#include "image.h"
#include "scan.h"

/**
 * dn_scan_run:
 *
 * Stores nothing.  A scanner that fails (status, time, output) is a scan whose verdict is `error`;
 * an error is that nothing could be scanned: no scanner, no guest, the client has gone.
 *
 * Returns: (transfer full): or NULL with @error
 */
DnScan *dn_scan_run (DnRequest *request, DnImage *image, gboolean allow_emulation, GError **error);
