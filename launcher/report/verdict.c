/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

const char *const dn_verdict_words[] = { "good", "attention", "bad", "unknown" };
const char *const dn_severity_words[DN_SEVERITIES]
    = { "info", "low", "medium", "high", "critical", "unknown" };

DnReportVerdict
dn_verdict_parse (const char *word)
{
  guint i = 0;

  while (i < DN_REPORT_UNKNOWN && !g_str_equal (word, dn_verdict_words[i]))
    i++;
  return (DnReportVerdict) i;
}

DnSeverity
dn_severity_parse (const char *word)
{
  guint i = 0;

  while (i < DN_SEVERITY_UNKNOWN && !g_str_equal (word, dn_severity_words[i]))
    i++;
  return (DnSeverity) i;
}

DnReportVerdict
dn_severity_to_verdict (DnSeverity severity)
{
  switch (severity)
    {
    case DN_SEVERITY_INFO:
    case DN_SEVERITY_LOW:
      return DN_REPORT_GOOD;
    case DN_SEVERITY_MEDIUM:
      return DN_REPORT_ATTENTION;
    case DN_SEVERITY_HIGH:
    case DN_SEVERITY_CRITICAL:
      return DN_REPORT_BAD;
    case DN_SEVERITY_UNKNOWN:
      break;
    }
  return DN_REPORT_UNKNOWN;
}
