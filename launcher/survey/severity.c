/* SPDX-License-Identifier: Apache-2.0 */
#include "severity.h"

static const char *const names[DN_SEVERITIES] = { "info", "low", "medium", "high", "critical" };

const char *
dn_severity_name (DnSeverity severity)
{
  return names[severity];
}

gboolean
dn_severity_parse (const char *name, DnSeverity *ret_severity)
{
  for (DnSeverity i = DN_SEVERITY_INFO; i < DN_SEVERITIES; i++)
    if (g_str_equal (name, names[i]))
      {
        *ret_severity = i;
        return TRUE;
      }
  return FALSE;
}
