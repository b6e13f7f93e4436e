/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the document that have an order: verdicts and severities. */
#pragma once

#include <glib.h>

typedef enum
{
  DN_REPORT_GOOD,
  DN_REPORT_ATTENTION,
  DN_REPORT_BAD,
  DN_REPORT_UNKNOWN, /* it does not say, or says what we do not know */
  DN_REPORT_NOTE,    /* no verdict: what is worth knowing and no more */
} DnReportVerdict;

typedef enum
{
  DN_REPORT_SEVERITY_INFO,
  DN_REPORT_SEVERITY_LOW,
  DN_REPORT_SEVERITY_MEDIUM,
  DN_REPORT_SEVERITY_HIGH,
  DN_REPORT_SEVERITY_CRITICAL,
  DN_REPORT_SEVERITY_UNKNOWN, /* shown first: nobody may hide a finding behind an odd word */
} DnReportSeverity;

#define DN_REPORT_SEVERITIES 6

/* "good", "attention", "bad", "unknown", "note" and "info" to "unknown", by the enums' values. */
extern const char *const dn_report_verdict_words[];
extern const char *const dn_report_severity_words[];

DnReportVerdict dn_report_verdict_parse (const char *word);
DnReportSeverity dn_report_severity_parse (const char *word);

/* How a finding of that severity is shown, as the verdicts of contexts follow from them: info as a
 * note, low and medium as attention, what is worse as bad. */
DnReportVerdict dn_report_severity_to_verdict (DnReportSeverity severity);
