/* SPDX-License-Identifier: Apache-2.0 */
#include "scan-words.h"

#include <stddef.h>

const char *const dn_scan_verdict_words[] = { "pass", "warn", "fail", "error", NULL };
const char *const dn_scan_severity_words[] = { "low", "medium", "high", "critical", NULL };
