/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

const char *const dn_report_verdict_words[] = { "good", "attention", "bad", "unknown", "note" };
const char *const dn_report_severity_words[DN_REPORT_SEVERITIES]
    = { "info", "low", "medium", "high", "critical", "unknown" };

DnReportVerdict
dn_report_verdict_parse (const char *word)
{
  guint i = 0;

  while (i < DN_REPORT_UNKNOWN && !g_str_equal (word, dn_report_verdict_words[i]))
    i++;
  return (DnReportVerdict) i;
}

DnReportSeverity
dn_report_severity_parse (const char *word)
{
  guint i = 0;

  while (i < DN_REPORT_SEVERITY_UNKNOWN && !g_str_equal (word, dn_report_severity_words[i]))
    i++;
  return (DnReportSeverity) i;
}

DnReportVerdict
dn_report_severity_to_verdict (DnReportSeverity severity)
{
  switch (severity)
    {
    case DN_REPORT_SEVERITY_INFO:
      return DN_REPORT_NOTE;
    case DN_REPORT_SEVERITY_LOW:
    case DN_REPORT_SEVERITY_MEDIUM:
      return DN_REPORT_ATTENTION;
    case DN_REPORT_SEVERITY_HIGH:
    case DN_REPORT_SEVERITY_CRITICAL:
      return DN_REPORT_BAD;
    case DN_REPORT_SEVERITY_UNKNOWN:
      break;
    }
  return DN_REPORT_UNKNOWN;
}
