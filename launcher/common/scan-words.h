/* SPDX-License-Identifier: Apache-2.0 */
/* Words and limits of a scanner's verdict, which its reader in the jail (../intake/verdict.h) and
 * danchid (../images/scan.h) share.
 */
#pragma once

typedef enum
{
  DN_SCAN_PASS,
  DN_SCAN_WARN,
  DN_SCAN_FAIL,
  DN_SCAN_ERROR, /* no verdict: `summary` says why */
} DnScanVerdict;

extern const char *const dn_scan_verdict_words[]; /* ends with NULL */

typedef enum
{
  DN_SCAN_LOW,
  DN_SCAN_MEDIUM,
  DN_SCAN_HIGH,
  DN_SCAN_CRITICAL,
  DN_SCAN_SEVERITIES,
} DnScanSeverity;

extern const char *const dn_scan_severity_words[]; /* ends with NULL */

/* Of a finding, and of a scan. */
#define DN_SCAN_ID_BYTES 128
#define DN_SCAN_VERSION_BYTES 128
#define DN_SCAN_TITLE_BYTES 256
#define DN_SCAN_SUMMARY_BYTES 256
#define DN_SCAN_FINDINGS_MAX 256               /* that are kept: the most severe; all are counted */
#define DN_SCAN_VERDICT_MAX_BYTES (256 * 1024) /* of the scanner's JSON */
