/* SPDX-License-Identifier: Apache-2.0 */
/* What on this host keeps guests from running, or makes them less safe than they could be.
 *
 * Each check looks at one thing, changes nothing, and says what to do about it.
 * Privilege: root, for some of what it reads.
 */
#pragma once

#include <json-glib/json-glib.h>

/* Returns: (transfer full): {"checks": [{"id", "status": "ok" | "warn" | "fail", "what",
 * "remedy"}, ...]}, as docs/api.md has it; "remedy" is empty where there is nothing to do */
JsonNode *dn_doctor_run (void);
