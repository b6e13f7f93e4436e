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
} DnReportVerdict;

typedef enum
{
  DN_SEVERITY_INFO,
  DN_SEVERITY_LOW,
  DN_SEVERITY_MEDIUM,
  DN_SEVERITY_HIGH,
  DN_SEVERITY_CRITICAL,
  DN_SEVERITY_UNKNOWN, /* shown first: nobody may hide a finding behind an odd word */
} DnSeverity;

#define DN_SEVERITIES 6

/* "good", "attention", "bad", "unknown" and "info" to "unknown", by the enums' values. */
extern const char *const dn_verdict_words[];
extern const char *const dn_severity_words[];

DnReportVerdict dn_verdict_parse (const char *word);
DnSeverity dn_severity_parse (const char *word);

/* What a finding of that severity makes of its subject: medium is attention, high is bad. */
DnReportVerdict dn_severity_to_verdict (DnSeverity severity);
