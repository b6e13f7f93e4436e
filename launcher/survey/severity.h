/* SPDX-License-Identifier: Apache-2.0 */
/* How bad a finding is.
 *
 * critical: the isolation that the contexts stand for is broken, or anybody can break it.
 * high: a layer of it is missing.  medium: a layer is weaker than it could be.  low: to be tidied
 * up.  info: worth knowing, nothing to mend.
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_SEVERITY_INFO,
  DN_SEVERITY_LOW,
  DN_SEVERITY_MEDIUM,
  DN_SEVERITY_HIGH,
  DN_SEVERITY_CRITICAL,
} DnSeverity;

#define DN_SEVERITIES (DN_SEVERITY_CRITICAL + 1)

/* "info" ... "critical" */
const char *dn_severity_name (DnSeverity severity);

/* And back.  Returns: FALSE for any other text, @ret_severity untouched */
gboolean dn_severity_parse (const char *name, DnSeverity *ret_severity);
